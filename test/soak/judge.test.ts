/** What is excused, and what is not: an answer may break off only if its own backend was hurt while it was under way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ask, Outcome } from './client.ts';
import { growthOf } from './growth.ts';
import { createHurts, type Hurts } from './hurts.ts';
import { DESCRIPTORS, faultOf, GATEWAY } from './judge.ts';
import type { Rest } from './quiet.ts';
import { pieceOf, type Wish } from './wish.ts';

const WISH: Wish = { marker: 'm1', framing: 'events', pieces: 9, firstMs: 0, gapMs: 0 };
const ASK: Ask = { wish: WISH, promptBytes: 0, readPauseMs: 0 };
const CUT: Outcome = { kind: 'cut', backend: 'a', right: 10 };
const TOLD: Outcome = { kind: 'told', backend: 'a', code: 'backend_broke_off', right: 10 };
const NO_ANSWER: Outcome = { kind: 'unanswered', code: 'ECONNRESET' };

const unhurt = createHurts(() => 0);

function hurt(part: string, now = () => 0): Hurts {
  const hurts = createHurts(now);
  hurts.begin(part);
  return hurts;
}

function refused(code: string, backend = 'a'): Outcome {
  return { kind: 'refused', status: 502, code, backend };
}

describe('the judge', () => {
  it('excuses an answer that breaks off if its backend was hurt, and not if another was', () => {
    for (const outcome of [CUT, TOLD]) {
      assert.equal(faultOf(ASK, outcome, hurt('a'), 0), undefined);
      assert.match(faultOf(ASK, outcome, hurt('b'), 0) ?? '', /broken off/);
      assert.match(faultOf(ASK, outcome, unhurt, 0) ?? '', /broken off/);
    }
  });

  it('excuses by what was hurt since the request began, and shortly before', () => {
    let now = 1_000;
    const hurts = createHurts(() => now);
    hurts.begin('a')();
    now = 60_000;
    assert.equal(faultOf(ASK, CUT, hurts, 2_000), undefined);
    assert.match(faultOf(ASK, CUT, hurts, 10_000) ?? '', /broken off/);
  });

  it('never excuses wrong bytes, an end that is none, or no end at all', () => {
    const hurts = hurt(GATEWAY);
    hurts.begin('a');
    for (const outcome of [
      { kind: 'wrong', what: 'bytes' },
      { kind: 'short', backend: 'a', right: 10 },
      { kind: 'hung' },
    ] satisfies Outcome[]) {
      assert.notEqual(faultOf(ASK, outcome, hurts, 0), undefined, outcome.kind);
    }
  });

  it('excuses an answer without an end where its backend was hurt and only closing tells the end', () => {
    const closing: Ask = { ...ASK, wish: { ...WISH, framing: 'closing' } };
    const short: Outcome = { kind: 'short', backend: 'a', right: 10 };
    assert.equal(faultOf(closing, short, hurt('a'), 0), undefined);
    assert.notEqual(faultOf(closing, short, unhurt, 0), undefined);
  });

  it('excuses a refusal if the backend it names was hurt, and that there is no healthy one never', () => {
    assert.equal(faultOf(ASK, refused('backend_failed'), hurt('a'), 0), undefined);
    assert.notEqual(faultOf(ASK, refused('backend_failed'), hurt('b'), 0), undefined);
    assert.notEqual(faultOf(ASK, refused('no_healthy_backend', ''), hurt('a'), 0), undefined);
    assert.equal(faultOf(ASK, refused('queue_timeout', ''), unhurt, 0), undefined);
  });

  it('excuses that nobody answers only while the gateway is down or has no descriptors', () => {
    assert.notEqual(faultOf(ASK, NO_ANSWER, hurt('a'), 0), undefined);
    assert.equal(faultOf(ASK, NO_ANSWER, hurt(GATEWAY), 0), undefined);
    assert.equal(faultOf(ASK, NO_ANSWER, hurt(DESCRIPTORS), 0), undefined);
    assert.notEqual(faultOf(ASK, CUT, hurt(DESCRIPTORS), 0), undefined, 'what was under way goes on');
  });

  it('wants what a backend sent before it broke off in order, and takes no whole answer from it', () => {
    const asked: Ask = { ...ASK, wish: { ...WISH, fault: { kind: 'close', after: 3 } } };
    const sent = [0, 1, 2].reduce((sum, index) => sum + pieceOf(WISH, 'a', index).length, 0);
    assert.equal(faultOf(asked, { ...TOLD, right: sent }, unhurt, 0), undefined);
    assert.match(faultOf(asked, { ...TOLD, right: sent - 1 }, unhurt, 0) ?? '', /bytes were sent/);
    const slow = { ...asked, readPauseMs: 1 };
    assert.equal(faultOf(slow, { ...TOLD, right: sent - 1 }, unhurt, 0), undefined, 'node drops it itself');
    assert.match(faultOf(asked, { kind: 'whole' }, unhurt, 0) ?? '', /although/);
  });
});

describe('growth', () => {
  const rest = (heapMib: number, timers = 5): Rest => ({
    ...{ reading: 1, heapBytes: heapMib * 1024 * 1024, externalBytes: 0, rssBytes: 0 },
    ...{ handles: { Timeout: timers }, sockets: 2, starts: 1 },
  });

  it('is seen in the heap and in handles, round by round', () => {
    assert.deepEqual(growthOf([rest(20), rest(30), rest(30), rest(31), rest(30)]), []);
    assert.match(
      growthOf([rest(20), rest(30), rest(34), rest(38), rest(42), rest(46)])[0] ?? '',
      /heap grew/,
    );
    assert.match(growthOf([rest(20), rest(20, 40)])[0] ?? '', /handles of kind Timeout grew from 5 to 40/);
  });

  it('is not judged across two processes', () => {
    assert.deepEqual(growthOf([rest(20), { ...rest(60), starts: 2 }]), []);
  });
});
