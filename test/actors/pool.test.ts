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
    assert.deepEqual([context.leases.size, context.leaseOfSocket.size], [0, 0]);
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

/** Events that open so many sockets at once and let them go, a millisecond apart each. */
function served(count: number): PoolEvent[] {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return [
    ...numbers.map((request) => ({ ...wanted, request })),
    ...numbers.map((socket) => ({ type: 'socketOpened', socket, at: socket }) as const),
    ...numbers.map((lease) => ({ ...ended, lease, at: lease })),
  ];
}

const sized = (size: number, maxLifetimeMs = 0): PoolEvent => ({
  type: 'configured',
  ...{ backends: ['a', 'b'], size, maxLifetimeMs, at: 0 },
});

/** What is left idle at `a`, and what the last event evicted. */
function outcomeOf(...events: readonly PoolEvent[]) {
  const { context } = poolAfter(...events);
  const idle = context.backends.get('a')?.idle.map(({ socket }) => socket);
  const evicted = context.decisions.flatMap((decision) =>
    decision.type === 'socket.evicted' ? [[decision.socket, decision.reason]] : [],
  );
  return { idle, evicted };
}

describe('an idle socket', () => {
  it('is taken again, which is counted', () => {
    const { context } = poolAfter(...served(1), { ...wanted, request: 2 });
    const { opened, reused, idle } = context.backends.get('a') ?? assert.fail();
    assert.deepEqual([opened, reused, idle.length], [1, 1, 0]);
    assert.deepEqual([...context.leaseOfSocket], [[1, 2]]);
  });

  it('that its backend closes goes, and no other', () => {
    const closed = (backendId: string, socket: number): PoolEvent => ({
      type: 'socketClosed',
      ...{ backend: backendId, socket },
    });
    assert.deepEqual(outcomeOf(sized(3), ...served(3), closed('a', 2)).idle, [1, 3]);
    assert.deepEqual(outcomeOf(sized(3), ...served(3), closed('a', 9), closed('z', 1)).idle, [1, 2, 3]);
  });

  it('goes at a sweep once it has been idle for the time, and not before', () => {
    const swept: PoolEvent = { type: 'swept', at: 11, idleTimeoutMs: 10 };
    assert.deepEqual(outcomeOf(sized(3), ...served(3), swept), { idle: [2, 3], evicted: [[1, 'idle']] });
    const later: PoolEvent = { ...swept, at: 13 };
    assert.deepEqual(outcomeOf(sized(3), ...served(3), later).idle, []);
  });

  it('goes at a sweep once it is too old, and no other', () => {
    const swept: PoolEvent = { type: 'swept', at: 102, idleTimeoutMs: 1000 };
    assert.deepEqual(outcomeOf(sized(3, 100), ...served(3), swept), {
      idle: [3],
      evicted: [
        [1, 'expired'],
        [2, 'expired'],
      ],
    });
  });

  it('makes room for a new one where one is wanted, if there is none otherwise', () => {
    const fresh: PoolEvent = { ...wanted, request: 9, fresh: true };
    assert.deepEqual(outcomeOf(sized(2), ...served(1), fresh), { idle: [1], evicted: [] });
    assert.deepEqual(outcomeOf(sized(2), ...served(2), fresh), { idle: [2], evicted: [[1, 'replaced']] });
    const busy: PoolEvent = { ...wanted, request: 8, fresh: true };
    assert.deepEqual(outcomeOf(sized(2), ...served(1), busy, fresh), {
      idle: [],
      evicted: [[1, 'replaced']],
    });
  });

  it('goes where the pool becomes too small for it, the oldest first', () => {
    assert.deepEqual(outcomeOf(sized(3), ...served(3), sized(3)), { idle: [1, 2, 3], evicted: [] });
    assert.deepEqual(outcomeOf(sized(3), ...served(3), sized(1)), {
      idle: [3],
      evicted: [
        [1, 'resized'],
        [2, 'resized'],
      ],
    });
  });
});

describe('a pool that is told', () => {
  const cut = { ...ended, unwanted: 'unusable' } as const;
  const closed: PoolEvent = { type: 'socketClosed', backend: 'a', socket: 1 };
  const failures: readonly (readonly [title: string, failed: number, events: readonly PoolEvent[]])[] = [
    ['of an answer that broke off counts a failure', 1, [{ ...cut, outcome: 'failed' }]],
    ['of a socket that could not be opened counts one', 1, [closed, { ...cut, outcome: 'unopened' }]],
    ['of one that was not waited for counts none', 0, [{ ...cut, outcome: 'unopened' }]],
    ['of an answer that ended counts none', 0, [ended]],
    [
      'of a client that left a socket already closed counts none',
      0,
      [closed, { ...cut, outcome: 'aborted' }],
    ],
  ];
  for (const [title, failed, events] of failures) {
    it(title, () => {
      assert.equal(poolAfter(wanted, ...events).context.backends.get('a')?.failed, failed);
    });
  }

  it('that sockets of one backend are unwanted lets those of another be', () => {
    const atB = { ...wanted, backend: 'b', request: 2 } as const;
    const unwanted: PoolEvent = { type: 'socketsUnwanted', backend: 'a', reason: 'draining' };
    const { context } = poolAfter(sized(1), wanted, atB, unwanted);
    assert.deepEqual(
      [...context.leases.values()].map(({ unwanted: reason }) => reason),
      ['draining', undefined],
    );
  });

  it('to forget a backend has nothing of it any more', () => {
    const { context } = poolAfter({ type: 'forgotten', backend: 'a' });
    assert.deepEqual([...context.backends.keys()], []);
  });
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
