/** Answers of backends, read from pieces that are cut anywhere: as another reader of RFC 9112 reads them whole. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readResponse } from '../../fuzz/http/responses.ts';
import { type Draw, drawFor } from '../../fuzz/random.ts';
import { brokenAnswer } from '../../fuzz/responses/broken.ts';
import { SHAPES, validAnswer } from '../../fuzz/responses/valid.ts';
import { type Heard, read } from './support.ts';

const MARKER = 'mk0123456789z';
const CASES = 5_000;

/** The text in up to seven pieces. */
function cut(draw: Draw, text: string): string[] {
  const cuts = Array.from({ length: draw.int(0, 6) }, () => draw.int(0, text.length)).sort((a, b) => a - b);
  return [...cuts, text.length].map((end, index) => text.slice(cuts[index - 1] ?? 0, end));
}

function seen({ status, headers, body, trailers, end }: Heard) {
  return {
    status,
    fields: pairs(headers),
    body,
    trailers: pairs(trailers),
    isWhole: end.startsWith('ended'),
  };
}

/** Names in lower case, as the other reader's may be. */
function lower(fields: readonly (readonly [string, string])[]): [string, string][] {
  return fields.map(([name, value]) => [name.toLowerCase(), value]);
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), list[index + 1] ?? '']] : [],
  );
}

describe('an answer', () => {
  for (const [index, shape] of SHAPES.entries()) {
    const text = shape(MARKER);
    it(`is the same wherever it is cut: ${JSON.stringify(text.slice(0, 40))}, shape ${index}`, () => {
      const whole = read([text], { isClosed: true });
      assert.equal(whole.end, 'ended');
      for (let at = 1; at < text.length; at += 1) {
        assert.deepEqual(
          read([text.slice(0, at), text.slice(at)], { isClosed: true }),
          whole,
          `cut at ${at}`,
        );
      }
      assert.deepEqual(read([...text], { isClosed: true }), whole, 'a byte at a time');
    });
  }

  it(`is what another reader makes of it, in ${CASES} valid ones (RFC 9112)`, () => {
    for (let number = 0; number < CASES; number += 1) {
      const draw = drawFor('valid', number);
      const text = validAnswer(draw, MARKER, 100_000);
      const isHead = draw.chance(0.1);
      const other = readResponse(text, 0, { bodiless: isHead, isClosed: true });
      assert.ok('ok' in other, `case ${number} is not valid: ${JSON.stringify(text.slice(0, 200))}`);
      const { status, fields, body, trailers } = other.ok;
      const expected = { status, fields: lower(fields), body, trailers: lower(trailers) };
      const heard = read(cut(draw, text), { isHead, isClosed: true });
      assert.deepEqual(seen(heard), { ...expected, isWhole: true }, `case ${number}`);
    }
  });

  it(`that is broken is never taken for another, in ${CASES} of them`, () => {
    let bad = 0;
    for (let number = 0; number < CASES; number += 1) {
      const draw = drawFor('broken', number);
      const text = brokenAnswer(draw, MARKER).bytes;
      const heard = read(cut(draw, text), { isClosed: true });
      if (heard.end === 'bad' || heard.end === 'none') bad += 1;
      if (!heard.end.startsWith('ended')) continue;
      const other = readResponse(text, 0, { bodiless: false, isClosed: true, isLenient: true });
      const where = `case ${number}: ${JSON.stringify(text.slice(0, 300))}`;
      assert.ok('ok' in other, `is taken for whole; ${where}`);
      assert.deepEqual([heard.status, heard.body], [other.ok.status, other.ok.body], where);
    }
    assert.ok(bad > CASES / 10, `only ${bad} were refused`);
  });
});

describe('a 101', () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';

  it('hands over what came behind it (RFC 9110 §7.8)', () => {
    assert.deepEqual(
      [read([`${SWITCH}\x81\x00`], { mayUpgrade: true })].map(({ end, rest }) => [end, rest]),
      [['switched', '\x81\x00']],
    );
  });

  it('is refused where nobody asked for it', () => assert.equal(read([SWITCH]).end, 'bad'));

  it('may have other interim answers before it', () => {
    const heard = read([`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${SWITCH}`], {
      mayUpgrade: true,
    });
    assert.deepEqual([heard.interim, heard.end], [[103], 'switched']);
  });
});

describe('what comes behind an answer', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokX',
    'HTTP/1.1 204 No Content\r\n\r\nX',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  ]) {
    it(`is told of and is no part of it: ${JSON.stringify(text.slice(16))}`, () => {
      const heard = read([text]);
      assert.equal(heard.end, 'ended, and more came');
      assert.doesNotMatch(heard.body, /X/);
    });
  }
});

describe('limits', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';
  const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
  const endless = (start: string, line: string) => [start, ...Array.from({ length: 3000 }, () => line)];

  for (const [name, pieces] of [
    ['a head', endless(OK, 'X-A: bcdefghij\r\n')],
    ['the head of an interim answer', endless('HTTP/1.1 103 Hints\r\n', 'X-A: bcdefghij\r\n')],
    ['a chunk extension', endless(`${CHUNKED}1;a=`, 'bcdefghijklmnop')],
    ['zeros before a chunk size', endless(CHUNKED, '0000000000000000')],
    ['trailers', endless(`${CHUNKED}0\r\n`, 'X-A: bcdefghij\r\n')],
  ] as const) {
    it(`hold for ${name} without end`, () => assert.equal(read(pieces).end, 'bad'));
  }
});
