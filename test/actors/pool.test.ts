/** The pool actor by itself: what it does with events that the rest of the core never sends it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActor } from 'xstate';
import { createBalancer } from '../../src/actors/balancer.ts';
import { type PoolEvent, poolLogic } from '../../src/actors/pool.ts';
import { backend, coreConfig, received } from '../support/core.ts';

const wanted = { type: 'leaseWanted', backend: 'a', request: 1, fresh: false, at: 0 } as const;
const ended = { type: 'leaseEnded', lease: 1, outcome: 'ended', unwanted: undefined, at: 0 } as const;

function poolAfter(...events: readonly PoolEvent[]) {
  const actor = createActor(poolLogic, { input: undefined }).start();
  // Else XState would throw it again where nothing catches it.
  actor.subscribe({ error() {} });
  actor.send({ type: 'configured', backends: ['a'], size: 1, maxLifetimeMs: 0, at: 0 });
  for (const event of events) actor.send(event);
  return actor.getSnapshot();
}

describe('the pool', () => {
  it('releases a lease once, however often it is told', () => {
    const { context } = poolAfter(wanted, ended, ended);
    assert.deepEqual(context.decisions, []);
    assert.equal(context.backends.get('a')?.leased, 0);
  });

  it('opens a socket once, however often it is told', () => {
    const opened = { type: 'socketOpened', socket: 1, at: 0 } as const;
    const { context } = poolAfter(wanted, opened, opened);
    assert.deepEqual(context.decisions, []);
    assert.equal(context.backends.get('a')?.opened, 1);
  });

  it('releases the lease of a backend that it has forgotten, which has no pool to go back to', () => {
    const { context } = poolAfter(wanted, { type: 'forgotten', backend: 'a' }, ended);
    assert.deepEqual(
      context.decisions.map(({ type }) => type),
      ['lease.released'],
    );
    assert.equal(context.leases.size, 0);
  });

  for (const [what, events] of [
    ['a backend that has no room', [wanted, { ...wanted, request: 2 }]],
    ['a backend that nobody knows', [{ ...wanted, backend: 'b' }]],
  ] as const) {
    it(`fails rather than give a lease at ${what}`, () => {
      const { status, error } = poolAfter(...events);
      assert.equal(status, 'error');
      assert.match(String(error), /RangeError: no room in the pool of [ab]/);
    });
  }
});

describe('a core whose pool has failed', () => {
  it('fails too, and does not go on with a dead actor in it', () => {
    const balancer = createBalancer();
    balancer.step(
      { type: 'gateway.started', version: '', config: coreConfig({ backends: [backend('a')] }) },
      0,
    );
    balancer.core.pool.subscribe({ error() {} });
    balancer.core.pool.send({ ...wanted, backend: 'nobody' });
    assert.throws(() => balancer.step(received(1), 1), /no room in the pool of nobody/);
  });
});
