/** A core restored from a snapshot, taken at any moment, goes on exactly as the one it was taken of. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createReplay } from '../../src/actors/replay.ts';
import { type CoreSnapshot, takeSnapshot } from '../../src/actors/snapshot.ts';
import { ACTION_KINDS, createWorld } from '../support/random-world.ts';

const acts = fc.array(fc.tuple(fc.nat({ max: ACTION_KINDS - 1 }), fc.nat({ max: 0xffff })), {
  minLength: 20,
  maxLength: 200,
  size: 'max',
});

const identity = (text: string) => text;

/** As the log has it: through JSON. */
function throughJson(snapshot: CoreSnapshot): CoreSnapshot {
  return JSON.parse(JSON.stringify(snapshot));
}

describe('a snapshot', () => {
  it('taken at any moment lets a new core go on to the same decisions and the same state', () => {
    fc.assert(
      fc.property(acts, fc.nat(), (list, moment) => {
        const world = createWorld();
        const cut = moment % list.length;
        for (const [kind, choice] of list.slice(0, cut)) world.act(kind, choice);
        const replay = createReplay(identity);
        replay.load(throughJson(takeSnapshot(world.balancer.core)));
        const before = world.history.length;
        for (const [kind, choice] of list.slice(cut)) world.act(kind, choice);
        for (const [index, entry] of world.history.slice(before).entries()) {
          assert.equal(replay.take({ v: 1, seq: index, ...entry }), undefined);
        }
        assert.equal(replay.stateHash(), JSON.stringify(takeSnapshot(world.balancer.core)));
      }),
      { numRuns: 500 },
    );
  });

  it('does not change when the core goes on', () => {
    const world = createWorld();
    for (let step = 0; step < 100; step++) world.act(step * 7, step * 131);
    const snapshot = takeSnapshot(world.balancer.core);
    const text = JSON.stringify(snapshot);
    for (let step = 0; step < 100; step++) world.act(step * 5, step * 17);
    assert.equal(JSON.stringify(snapshot), text);
  });
});

describe('replay', () => {
  it('names the first decision that differs, with both sides', () => {
    const world = createWorld();
    for (let step = 0; step < 30; step++) world.act(0, step);
    const replay = createReplay(identity);
    const divergences = world.history.flatMap((entry, index) => {
      const altered = index === 5 ? { ...entry, decisions: [] } : entry;
      const divergence = replay.take({ v: 1, seq: index + 1, ...altered });
      return divergence === undefined ? [] : [divergence];
    });
    const [first] = divergences;
    assert.equal(divergences.length, 1);
    assert.deepEqual([first?.kind, first?.seq, first?.recorded], ['decisions', 6, []]);
    assert.deepEqual(first?.computed, world.history[5]?.decisions);
  });

  it('notices a state that differs though the decisions did not', () => {
    const replay = createReplay(identity);
    assert.equal(replay.compare(1, 0, replay.stateHash()), undefined);
    assert.equal(replay.compare(1, 0, 'another')?.kind, 'state');
  });
});
