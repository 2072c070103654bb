/** What the runs rest on: bytes that are wrong in any way are seen, and what the gateway adds is told apart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorBody } from '../../src/io/errors.ts';
import { codeIn, createAnswerCheck, type Sum } from './answer-check.ts';
import { pieceOf, type Wish, wholeAnswer } from './wish.ts';

const WISH: Wish = { marker: 'm1', framing: 'events', pieces: 60, firstMs: 0, gapMs: 0 };
const ANSWER = wholeAnswer(WISH, 'a');
const BROKEN = errorBody({
  status: 502,
  code: 'backend_broke_off',
  message: 'Backend a broke off its answer.',
});
const EVENT = `\n\ndata: ${BROKEN}\n\n`;

/** In pieces of so many bytes. */
function check(text: string, size = 1000, wish = WISH): Sum {
  const checked = createAnswerCheck(wish, 'a');
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) checked.take(bytes.subarray(at, at + size));
  return checked.sum();
}

const piece = (index: number) => pieceOf(WISH, 'a', index);

describe('the check of an answer', () => {
  it('takes a whole answer for whole, however it is cut into chunks', () => {
    for (const size of [1, 7, 1000, 100_000]) assert.deepEqual(check(ANSWER, size), { kind: 'whole' });
    assert.deepEqual(
      check(wholeAnswer({ ...WISH, framing: 'sized' }, 'a'), 99, { ...WISH, framing: 'sized' }),
      {
        kind: 'whole',
      },
    );
  });

  it('takes the beginning of an answer for a part, at every byte', () => {
    for (let length = 0; length < 600; length += 1) {
      assert.deepEqual(check(ANSWER.slice(0, length)), { kind: 'part' });
    }
    assert.deepEqual(check(ANSWER.slice(0, -1)), { kind: 'part' });
  });

  it('reads the error event of the gateway after a part of any length', () => {
    for (let length = 0; length < 600; length += 1) {
      const sum = check(ANSWER.slice(0, length) + EVENT, 64);
      assert.deepEqual(sum, { kind: 'told', code: 'backend_broke_off' }, `after ${length} bytes`);
    }
  });

  it('sees a piece that is missing, doubled, out of place, changed, of another client or of another backend', () => {
    const head = piece(0) + piece(1);
    const wrong: Record<string, string> = {
      missing: head + piece(3),
      doubled: head + piece(1) + piece(2),
      'out of place': piece(1) + piece(0),
      changed: head.replace('"index":1', '"index":7'),
      'of another client': head + pieceOf({ ...WISH, marker: 'm2' }, 'a', 2),
      'of another backend': head + pieceOf(WISH, 'b', 2),
      'behind the end': `${ANSWER}\n`,
      'an end too early': `${head}data: [DONE]\n\n`,
      'an error behind a wrong piece': head + piece(3) + EVENT,
    };
    for (const [what, text] of Object.entries(wrong)) assert.equal(check(text).kind, 'wrong', what);
  });

  it('takes no error event where there are no events', () => {
    assert.equal(check(EVENT, 100, { ...WISH, framing: 'chunked' }).kind, 'wrong');
  });
});

describe('the code of an error', () => {
  it('is read only from what the gateway would write', () => {
    assert.equal(codeIn(BROKEN), 'backend_broke_off');
    assert.equal(codeIn('{"error":{"message":"x","code":"y"}}'), undefined);
    assert.equal(codeIn('<html>'), undefined);
  });
});
