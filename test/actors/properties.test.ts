/** What holds in any world: the invariants after every step, an end to everything, the same again on replay. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createBalancer } from '../../src/actors/balancer.ts';
import { ACTION_KINDS, createWorld } from '../support/random-world.ts';

const acts = fc.array(fc.tuple(fc.nat({ max: ACTION_KINDS - 1 }), fc.nat({ max: 0xffff })), {
  minLength: 20,
  maxLength: 400,
  // Without this, fast-check keeps arrays short, and a queue hardly fills.
  size: 'max',
});
const RUNS = 1000;

describe('the core in a random world', () => {
  it('keeps every invariant, ends every request and releases every lease', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        world.settle();
        assert.equal(world.audit.openLeases.size, 0);
        assert.equal(world.audit.openRequests.size, 0);
      }),
      { numRuns: RUNS },
    );
  });

  it('decides the same when the same facts come again', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        const again = createBalancer();
        for (const { fact, at, decisions } of world.history)
          assert.deepEqual(again.step(fact, at), decisions);
        assert.deepEqual(again.backends(), world.balancer.backends());
      }),
      { numRuns: RUNS / 5 },
    );
  });
});
