/** Whatever happens in random worlds, explanations fit the decisions they explain, and fit on the page. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createCore } from '../../src/actors/core.ts';
import type { Candidate } from '../../src/actors/explain/candidates.ts';
import type { Life } from '../../src/actors/explain/life.ts';
import { createPlayback } from '../../src/actors/explain/playback.ts';
import { type RequestWatch, watchRequests } from '../../src/actors/explain/request-watch.ts';
import { type CoreSnapshot, takeSnapshot } from '../../src/actors/snapshot.ts';
import { WIDTH } from '../../src/io/explain/format.ts';
import { ACTION_KINDS, createWorld, type World } from '../support/random-world.ts';
import { textOf } from './support.ts';

const acts = fc.array(fc.tuple(fc.nat({ max: ACTION_KINDS - 1 }), fc.nat({ max: 0xffff })), {
  minLength: 50,
  maxLength: 200,
  size: 'max',
});

const NOTHING: CoreSnapshot = takeSnapshot(createCore());

/** The lives of all requests of a world, which were watched at once. */
function livesOf({ history }: World): Life[] {
  const watches = new Map<number, RequestWatch>();
  for (const { fact } of history) {
    if (fact.type === 'request.received') watches.set(fact.request, watchRequests(fact.requestId));
  }
  const all = [...watches.values()];
  const playback = createPlayback({
    begin: (scene) => all.forEach((watch) => void watch.begin(scene)),
    before: (entry, scene) => all.forEach((watch) => void watch.before(entry, scene)),
    after: (entry, scene) => all.forEach((watch) => void watch.after(entry, scene)),
  });
  const snapshot = { v: 1, type: 'snapshot', seq: 0, at: 0, hash: '', state: NOTHING } as const;
  playback.take({ line: snapshot, covered: '', continuous: false });
  for (const [index, entry] of history.entries()) {
    playback.take({ line: { v: 1, seq: index + 1, ...entry }, covered: '', continuous: true });
  }
  assert.equal(playback.divergence, undefined, 'watching changed what the core decides');
  return all.flatMap((watch) => watch.report().requests);
}

function checkCandidates(candidates: readonly Candidate[], backend: string | null): void {
  const sum = (which: 'before' | 'after') =>
    candidates.reduce((total, { currentWeight }) => total + currentWeight[which], 0);
  assert.equal(sum('before'), sum('after'), 'a pick leaves the sum of the current weights as it was');
  const taken = candidates.filter(({ verdict }) => verdict === 'taken');
  assert.deepEqual(
    taken.map(({ backend: id }) => id),
    backend === null ? [] : [backend],
  );
  for (const { verdict, state, pool } of candidates) {
    if (verdict === 'later') assert.ok(backend !== null && state === 'healthy' && pool.leased < pool.limit);
    if (verdict === 'full') assert.ok(state === 'healthy' && pool.leased >= pool.limit);
    if (verdict === 'taken') assert.ok(state === 'healthy' && pool.leased < pool.limit);
  }
}

/** Every retry has a reason that allows it, and every rejection for a failure one that does not. */
function checkReasons({ timeline }: Life): void {
  const safe = ['stale-socket', 'nothing-written', 'empty-response'];
  for (const [index, event] of timeline.entries()) {
    if (event.type !== 'failed') continue;
    const next = timeline[index + 1];
    if (next?.type === 'retried') assert.ok(safe.includes(event.why) && next.why === event.why);
    else assert.ok(!safe.includes(event.why), `${event.why}, and then ${next?.type}`);
  }
}

function checkEnd({ outcome, timeline, endedAt }: Life): void {
  const last = timeline.findLast(({ type }) => type !== 'backend-changed' && type !== 'config-reloaded');
  const ends: Record<string, string> = {
    ended: 'ended',
    failed: 'failed',
    rejected: 'rejected',
    aborted: 'aborted',
  };
  assert.notEqual(outcome, 'unknown');
  if (outcome === 'open') assert.equal(endedAt, null);
  else assert.equal(last?.type, ends[outcome]);
}

describe('explanations of random worlds', () => {
  it('fit what was decided, for every request', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        for (const life of livesOf(world)) {
          for (const event of life.timeline) {
            if (event.type === 'picked') checkCandidates(event.candidates, event.backend);
          }
          const picks = life.timeline.filter(({ type, ...event }) => type === 'picked' && 'backend' in event);
          const taken = picks.filter((event) => event.type === 'picked' && event.backend !== null);
          assert.equal(taken.length, life.backends.length);
          checkReasons(life);
          checkEnd(life);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('stay within the width of the page', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        for (const life of livesOf(world)) {
          for (const line of textOf(life).split('\n')) assert.ok(line.length <= WIDTH, line);
        }
      }),
      { numRuns: 50 },
    );
  });
});
