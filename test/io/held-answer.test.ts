/** An answer that is held back: nothing of it goes on before the core has spoken, whenever that is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type HeldAnswer, holdingBack } from '../../src/io/held-answer.ts';
import type { UpstreamReceiver } from '../../src/streams/ports.ts';

const flow = { pause() {}, resume() {} };

function held(heldStatus = 503) {
  const heard: unknown[] = [];
  const receiver: UpstreamReceiver = {
    switched: () => void heard.push('switched'),
    informed: (status) => void heard.push(status),
    started: (status) => void heard.push(status),
    data: (chunk) => void heard.push(chunk.byteLength),
    ended: () => void heard.push('ended'),
    failed: (reason) => void heard.push(reason),
  };
  const answers: HeldAnswer[] = [];
  const front = holdingBack(receiver, {
    lease: 7,
    isHeld: (status) => status === heldStatus,
    hold: (answer) => void answers.push(answer),
  });
  return { heard, front, answers };
}

describe('an answer that is held back', () => {
  it('goes on in its order once it is passed', () => {
    const { heard, front, answers } = held();
    front.started(503, '', [], flow);
    front.data(Buffer.from('abc'));
    assert.deepEqual(heard, []);
    answers[0]?.pass();
    front.data(Buffer.from('d'));
    front.ended([], true);
    assert.deepEqual(heard, [503, 3, 1, 'ended']);
  });

  it('goes on with its end too, where that came meanwhile', () => {
    const { heard, front, answers } = held();
    front.started(503, '', [], flow);
    front.failed('reset', true);
    answers[0]?.pass();
    assert.deepEqual(heard, [503, 'reset']);
  });

  it('is never heard of once it is discarded, nor is the end of its socket', () => {
    const { heard, front, answers } = held();
    front.started(503, '', [], flow);
    front.data(Buffer.from('abc'));
    answers[0]?.discard();
    front.failed('closed', true);
    answers[0]?.pass();
    assert.deepEqual(heard, []);
  });

  it('is told under the lease it came over', () => {
    const { front, answers } = held();
    front.started(503, '', [], flow);
    assert.equal(answers[0]?.lease, 7);
  });
});

describe('an answer of another status', () => {
  it('goes on at once', () => {
    const { heard, front, answers } = held();
    front.started(200, '', [], flow);
    front.data(Buffer.from('abc'));
    front.ended([], true);
    assert.deepEqual([heard, answers], [[200, 3, 'ended'], []]);
  });
});
