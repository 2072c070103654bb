/** Rules that remember what was, and rules about single steps: each finds what it is there for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBalancer } from '../../src/actors/balancer.ts';
import { type Core, poolOf, selectorOf } from '../../src/actors/core.ts';
import type { Decision, Fact } from '../../src/actors/events.ts';
import { createRetryMemory } from '../../src/actors/invariants/retry-memory.ts';
import { createAudit } from '../../src/actors/invariants.ts';
import {
  backend,
  type ConfigChanges,
  coreConfig,
  ended,
  failed,
  probeFailed,
  probeSucceeded,
  received,
  started,
} from '../support/core.ts';

const SWEEP: Fact = { type: 'timer.fired', timer: 'sweep' };
const opened = (socket: number, id = 'a'): Fact => ({ type: 'socket.opened', backend: id, socket });
const drained: Fact = { type: 'operator.drained', backend: 'a' };

type Watched = {
  readonly core: Core;
  /** Takes facts, all of which is well, at these milliseconds from each other. */
  well(...facts: readonly Fact[]): Watched;
  /** Lets the audit see a step that did not take place. @returns what it says */
  told(fact: Fact, decisions?: readonly Decision[], at?: number): readonly string[];
  /** Takes a fact that the audit does not see. */
  unseen(...facts: readonly Fact[]): Watched;
};

/** Two backends with room for one each, watched from the start. */
function watched(changes: ConfigChanges = {}): Watched {
  const balancer = createBalancer();
  const { core } = balancer;
  const audit = createAudit({ latestTimerMs: 10 });
  let at = 1_000;
  const scene: Watched = {
    core,
    well(...facts) {
      for (const fact of facts) {
        at += 1;
        assert.deepEqual(audit.check(core, fact, balancer.step(fact, at)), []);
      }
      return scene;
    },
    told(fact, decisions = [], now = at) {
      core.at = now;
      return audit.check(core, fact, decisions);
    },
    unseen(...facts) {
      for (const fact of facts) balancer.step(fact, at);
      return scene;
    },
  };
  const config = coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 }, ...changes });
  return scene.well({ type: 'gateway.started', version: '', config });
}

function poolOfA({ core }: Watched) {
  return poolOf(core).backends.get('a') ?? assert.fail();
}

function retriedBy(attempt: number): Decision {
  return { type: 'request.retried', request: 1, from: 'a', reason: 'reset', attempt };
}

const changed = (from: 'healthy' | 'unhealthy', to: 'healthy' | 'unhealthy'): Decision => ({
  type: 'backend.changed',
  ...{ backend: 'a', from, to, reason: '' },
});

describe('an audit counts probes itself, and finds', () => {
  it('a backend that should have fallen, or fell too early', () => {
    const late = watched({ health: { fall: 1 } });
    assert.deepEqual(late.told(probeFailed('a')), ['a was healthy and is healthy after 1 of 1 failures']);
    const early = watched({ health: { fall: 2 } });
    assert.match(
      early.told(probeFailed('a'), [changed('healthy', 'unhealthy')])[0] ?? '',
      /after 1 of 2 failures$/,
    );
  });

  it('a backend that should have risen, or rose too early', () => {
    const scene = watched({ health: { fall: 1, rise: 2 } }).well(probeFailed('a'), probeSucceeded('a'));
    assert.deepEqual(scene.told(probeSucceeded('a')), [
      'a was unhealthy and is unhealthy after 2 of 2 successes',
    ]);
  });

  it('one that an operator has drained and that came back by itself', () => {
    const scene = watched().well(drained).unseen({ type: 'operator.restored', backend: 'a' });
    assert.deepEqual(scene.told(SWEEP), ['a was drained by an operator and is healthy']);
  });
});

describe('an audit remembers requests, and finds', () => {
  const full = [received(1), received(2), received(3)];

  it('a wait that outlives its deadline, or ends before it', () => {
    const scene = watched({ queue: { timeoutMs: 50 } }).well(...full);
    const rejected: Decision = { type: 'request.rejected', request: 3, code: 'queue_timeout' };
    assert.deepEqual(scene.told(SWEEP, [], 1_064), []);
    assert.deepEqual(scene.told(SWEEP, [], 1_065), ['request 3 still waits, 11 ms beyond its deadline']);
    assert.equal(scene.told(SWEEP, [rejected], 1_010)[0], 'the wait of request 3 ended 44 ms early');
  });

  it('an alarm for a request that does not wait', () => {
    const fired: Fact = { type: 'timer.fired', timer: 'queue', request: 1 };
    assert.deepEqual(watched().well(received(1)).told(fired), [
      'the wait of request 1 was ended, which does not wait',
    ]);
  });

  it('a line that is longer than it may be', () => {
    const scene = watched({ queue: { max: 1 } }).well(...full);
    const queued: Decision = { type: 'request.queued', request: 4, length: 2, deadline: 2_000 };
    assert.ok(scene.told(received(4), [queued]).includes('request 4 is number 2 of a line of 1 at most'));
  });
});

describe('an audit remembers retries, and finds', () => {
  it('one after the first byte', () => {
    const scene = watched().well(received(1), opened(1), started(1, 1));
    assert.deepEqual(scene.told(SWEEP, [retriedBy(1)]), ['request 1 is sent again after its first byte']);
  });

  it('one attempt too many, and a second stale socket', () => {
    const scene = watched({ retry: { attempts: 1 } }).well(received(1), opened(1));
    assert.deepEqual(scene.told(SWEEP, [retriedBy(0)]), []);
    assert.deepEqual(scene.told(SWEEP, [retriedBy(0)]), ['request 1 has met a stale socket 2 times']);
    assert.equal(scene.told(SWEEP, [retriedBy(2)])[0], 'request 1 has attempt 2 of 1');
  });

  it('more than the budget has', () => {
    const retry = { attempts: 9, budgetShare: 0.1, budgetWindowMs: 1_000 };
    const scene = watched({ retry }).well(received(1), opened(1));
    for (const attempt of [1, 2, 3]) assert.deepEqual(scene.told(failed(1, 1), [retriedBy(attempt)]), []);
    assert.deepEqual(scene.told(failed(1, 1), [retriedBy(4)]), [
      '4 retries are in a window that has budget for 3',
    ]);
    assert.deepEqual(scene.told(failed(1, 1), [retriedBy(5)], 3_000), []);
  });
});

describe('a rule about a step finds', () => {
  it('a lease beyond the limit of a pool', () => {
    const scene = watched();
    poolOfA(scene).limit = 0;
    poolOfA(scene).leased = 1;
    const begun: Decision = { type: 'socket.requested', request: 1, lease: 9, backend: 'a', socket: 9 };
    assert.ok(scene.told(SWEEP, [begun]).includes('a was given a lease and has 1, of 0 at most'));
  });

  it('a socket that is kept though its answer broke off', () => {
    const scene = watched().well(received(1), opened(1), ended(1, 1), received(2), received(3));
    poolOfA(scene).idle.push({ socket: 1, since: 0, openedAt: undefined });
    const released: Decision = {
      type: 'lease.released',
      ...{ request: 3, lease: 3, backend: 'a', outcome: 'failed' },
    };
    assert.ok(scene.told(SWEEP, [released]).includes('socket 1 is kept after its lease was failed'));
  });

  it('an idle socket that a sweep has left, or of a backend that is out', () => {
    const scene = watched({ pool: { size: 1, idleTimeoutMs: 10 } }).well(received(1), opened(1), ended(1, 1));
    assert.deepEqual(scene.told(SWEEP, [], 1_014), ['socket 1 is idle for 10 ms']);
    scene.core.backends.get('a')?.actor.send({ type: 'operator.drained' });
    assert.ok(scene.told(received(1), []).includes('a is draining and keeps 1 idle sockets'));
  });

  it('a pause that is too long, and one that is not heeded', () => {
    const scene = watched({ outlier: { maxEjectionMs: 100 } });
    const paused: Decision = { type: 'backend.paused', backend: 'a', until: 5_000 };
    assert.deepEqual(scene.told(SWEEP, [paused], 1_000), ['a is left alone for 4000 ms, of 100']);
    const [peer] = selectorOf(scene.core).peers;
    assert.ok(peer);
    peer.pausedUntil = 5_000;
    const selected: Decision = { type: 'backend.selected', request: 1, backend: 'a' };
    assert.deepEqual(scene.told(SWEEP, [selected]), [
      'request 1 was given to a, which asked to be left alone',
    ]);
  });

  it('a slow start that does not end, and a pool without any room', () => {
    const scene = watched({ health: { slowStartMs: 100 } });
    scene.core.ramps.set('a', 1_000);
    assert.deepEqual(scene.told(SWEEP, [], 1_100), ['a is in slow start for 100 ms, of 100']);
    poolOfA(scene).limit = 0;
    assert.ok(scene.told(SWEEP, [], 1_050).includes('a may have no lease at all'));
  });

  it('a selector that has not the backends of the config', () => {
    const scene = watched();
    selectorOf(scene.core).peers.pop();
    assert.deepEqual(scene.told(SWEEP), ['the selector has 1 backends, the config 2']);
  });

  it('a request that is given to a backend where it failed', () => {
    const scene = watched().well(received(1));
    scene.core.requests.get(1)?.tried.push('b');
    const selected: Decision = { type: 'backend.selected', request: 1, backend: 'b' };
    assert.deepEqual(scene.told(SWEEP, [selected]), ['request 1 was given to b, where it had failed']);
  });
});

describe('a rule finds as well', () => {
  const granted: Decision = {
    type: 'lease.granted',
    ...{ request: 1, lease: 1, backend: 'a', socket: 1, reused: false },
  };

  it('a backend that the selector has with another weight', () => {
    const scene = watched();
    const [peer] = selectorOf(scene.core).peers;
    assert.ok(peer);
    Object.assign(peer, { weight: 9, effectiveWeight: 9 });
    assert.equal(scene.told(SWEEP)[0], 'the selector has a with 9 in the place of a');
  });

  it('a slow start of a backend that is out', () => {
    const scene = watched({ health: { slowStartMs: 1_000 } }).well(drained);
    scene.core.ramps.set('a', scene.core.at);
    assert.deepEqual(scene.told(SWEEP), ['a is in slow start and is not healthy']);
  });

  it('a pause where the config has none', () => {
    const paused: Decision = { type: 'backend.paused', backend: 'a', until: 1_501 };
    assert.deepEqual(watched().told(SWEEP, [paused]), ['a is left alone for 500 ms, of 0']);
  });

  it('a lease that is granted and was never begun', () => {
    const breaches = watched().told(SWEEP, [granted]);
    assert.deepEqual(breaches, ['lease 1 was granted and never begun']);
  });

  it('nothing to say of the room at a backend that is gone', () => {
    const requested: Decision = {
      type: 'socket.requested',
      request: 1,
      lease: 1,
      backend: 'gone',
      socket: 1,
    };
    assert.deepEqual(watched().told(SWEEP, [requested]), []);
  });

  it('a socket whose age is not known, or is too great', () => {
    const changes = { pool: { size: 1, maxLifetimeMs: 100 } };
    const unknown = watched(changes).well(received(1), opened(1));
    const lease = poolOf(unknown.core).leases.get(1);
    assert.ok(lease);
    lease.openedAt = undefined;
    assert.deepEqual(unknown.told(SWEEP, [granted]), ['the age of socket 1 is not known']);
    const old = watched(changes);
    poolOfA(old).idle.push({ socket: 7, since: 1_001, openedAt: 1 });
    assert.equal(old.told(SWEEP)[0], 'socket 7 is 1000 ms old');
  });

  it('retries beyond a budget that so many requests of long ago no longer count for', () => {
    const { core } = watched({ retry: { attempts: 9, budgetShare: 1, budgetWindowMs: 1_000 } });
    const memory = createRetryMemory();
    const breaches: string[] = [];
    for (let request = 1; request <= 1_002; request += 1)
      memory.follow(core, received(request), [], breaches);
    core.at += 5_000;
    for (const attempt of [1, 2, 3, 4]) memory.follow(core, failed(1, 1), [retriedBy(attempt)], breaches);
    assert.deepEqual(breaches, ['4 retries are in a window that has budget for 3']);
  });
});
