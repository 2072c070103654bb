/** The rules that every other test of the core relies on: each finds what it is there for, in a core that was broken by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Balancer, createBalancer } from '../../src/actors/balancer.ts';
import { type Core, poolOf, selectorOf } from '../../src/actors/core.ts';
import type { Decision, Fact } from '../../src/actors/events.ts';
import { type Audit, createAudit } from '../../src/actors/invariants.ts';
import { backend, type ConfigChanges, coreConfig, received } from '../support/core.ts';

const TICK: Fact = { type: 'timer.fired', timer: 'sweep' };
const draining = (id: string): Fact => ({ type: 'operator.drained', backend: id });
const opened = (socket: number): Fact => ({ type: 'socket.opened', backend: 'a', socket });

type Scene = { readonly balancer: Balancer; readonly core: Core; readonly audit: Audit };

/** Two backends with a pool of one each, and these facts, all of which is well. */
function sound(facts: readonly Fact[] = [], changes: ConfigChanges = {}): Scene {
  const balancer = createBalancer();
  const { core } = balancer;
  const audit = createAudit();
  const config = coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 }, ...changes });
  for (const [at, fact] of [{ type: 'gateway.started', version: '', config } as const, ...facts].entries()) {
    assert.deepEqual(audit.check(core, fact, balancer.step(fact, at)), []);
  }
  return { balancer, core, audit };
}

/** Requires that these breaches are found, and no others. */
function found({ core, audit }: Scene, breaches: readonly string[], decisions: Decision[] = [], fact = TICK) {
  assert.deepEqual(audit.check(core, fact, decisions), breaches);
}

function poolOfA({ core }: Scene) {
  return poolOf(core).backends.get('a') ?? assert.fail();
}

function peerA({ core }: Scene) {
  return selectorOf(core).peers[0] ?? assert.fail();
}

function requestOne({ core }: Scene) {
  return core.requests.get(1) ?? assert.fail();
}

const selected = (request: number, id: string): Decision => ({
  type: 'backend.selected',
  request,
  backend: id,
});
const requested = (request: number, lease: number): Decision => ({
  type: 'socket.requested',
  ...{ request, lease, backend: 'a', socket: lease },
});
const released = (lease: number): Decision => ({
  type: 'lease.released',
  ...{ request: 1, lease, backend: 'a', outcome: 'ended' },
});

describe('an invariant finds', () => {
  it('a lease that begins at a backend that is not healthy', () => {
    const scene = sound([draining('a')]);
    found(scene, ['request 1 was given to a, which is drained'], [selected(1, 'a')]);
  });

  it('a socket that is held twice', () => {
    const scene = sound([], { pool: { size: 2 } });
    const idle = { socket: 7, since: 0, openedAt: undefined };
    poolOfA(scene).idle.push(idle, idle);
    found(scene, ['socket 7 is held twice']);
  });

  it('a pool that is larger than it may be', () => {
    const scene = sound();
    const idle = { since: 0, openedAt: undefined };
    poolOfA(scene).idle.push({ ...idle, socket: 7 }, { ...idle, socket: 8 });
    found(scene, ['a has 2 idle and 0 leased sockets in a pool of 1']);
  });

  it('a count of leases that is not true', () => {
    const scene = sound([], { pool: { size: 3 } });
    poolOfA(scene).leased = 2;
    found(scene, ['a counts 2 leases and has 0']);
  });

  it('a lease whose request does not know it', () => {
    const scene = sound([received(1)]);
    requestOne(scene).lease = 9;
    found(scene, ['lease 1 is not the one request 1 has']);
  });

  it('a request that should have a lease and has none', () => {
    const scene = sound();
    const state = {
      ...sound([received(1)]).core.requests.get(1),
      lease: undefined,
      phase: 'leased',
    } as const;
    scene.core.requests.set(1, { ...requestOne(sound([received(1)])), ...state });
    scene.audit.check(scene.core, received(1), []);
    found(scene, ['request 1 is leased with lease undefined']);
  });

  it('a request with a lease that is gone', () => {
    const scene = sound([received(1)]);
    poolOf(scene.core).leases.clear();
    poolOfA(scene).leased = 0;
    peerA(scene).hasRoom = true;
    found(scene, ['request 1 has lease 1, which is gone']);
  });

  it('a line that is not in order', () => {
    const scene = sound([received(1), received(2), received(3), received(4)]);
    poolOf(scene.core).waiting.reverse();
    found(scene, ['the line is 4,3, and 2 requests wait']);
  });

  it('a selector that is wrong on health or room', () => {
    const scene = sound();
    peerA(scene).healthy = false;
    found(scene, ["the selector is wrong on a's health"]);
    peerA(scene).healthy = true;
    peerA(scene).hasRoom = false;
    found(scene, ['the selector is wrong on the room at a']);
  });

  it('one who waits though there is room, or for nobody', () => {
    const waiting = [received(1), received(2), received(3)];
    const served = sound(waiting);
    peerA(served).hasRoom = true;
    poolOfA(served).limit = 2;
    poolOfA(served).size = 2;
    found(served, ['request 3 waits and a has room']);
    const lost = sound(waiting);
    lost.core.requests.get(3)?.tried.push('a', 'b');
    found(lost, ['request 3 waits and no backend can ever take it']);
  });

  it('one who waits and is not there', () => {
    const scene = sound();
    poolOf(scene.core).waiting.push(9);
    found(scene, ['request 9 waits and a has room', 'the line is 9, and 0 requests wait']);
  });

  it('one who is overtaken, but not by one who was served before it began to wait', () => {
    const scene = sound([received(1), received(2), received(3)]);
    found(scene, ['request 4 was given to a, for which request 3 waits'], [selected(4, 'a')]);
    const queued: Decision = { type: 'request.queued', request: 3, length: 1, deadline: 30_000 };
    found(scene, [], [selected(4, 'a'), queued]);
  });

  it('a backend that drains without a lease', () => {
    const scene = sound([received(1), draining('a')]);
    scene.core.requests.clear();
    poolOf(scene.core).leases.clear();
    poolOfA(scene).leased = 0;
    found(scene, [
      'request 1 is gone and has not ended',
      'the selector is wrong on the room at a',
      'a drains without a lease',
    ]);
  });

  it('a backend that drains and gets a further lease', () => {
    const scene = sound([received(1), draining('a')]);
    found(scene, ['a is draining and its leases rose'], [requested(1, 9)]);
    found(scene, [], [released(1), released(9)]);
    found(scene, ['a is draining and its leases rose'], [requested(1, 10)]);
  });

  it('too many ejections, or one where nobody else is healthy', () => {
    const outlier = { consecutiveFailures: 1, maxEjectedShare: 1 };
    const refused = (socket: number): Fact => ({
      type: 'socket.failed',
      ...{ backend: 'a', socket, reason: 'refused' },
    });
    const scene = sound([received(1), refused(1)], { outlier, retry: { attempts: 0 } });
    scene.core.config = coreConfig({
      backends: [backend('a'), backend('b')],
      pool: { size: 1 },
      outlier: { maxEjectedShare: 0 },
    });
    const [first] = scene.balancer.backends();
    assert.equal(first?.state, 'ejected');
    const change: Decision = {
      type: 'backend.changed',
      ...{ backend: 'a', from: 'healthy', to: 'ejected', reason: '' },
    };
    found(scene, ['a are ejected, of 0 at most'], [change]);
    scene.core.backends.get('b')?.actor.send({ type: 'operator.drained' });
    found(scene, [
      "the selector is wrong on b's health",
      'b drains without a lease',
      'a backend is ejected and none is healthy',
    ]);
  });

  it('a share that is larger or smaller than it should be', () => {
    const scene = sound();
    peerA(scene).effectiveWeight = 2;
    found(scene, ['a has more than its share']);
    peerA(scene).effectiveWeight = 0.5;
    found(scene, ['a is kept short and is not in slow start']);
  });

  it('a request that is sent over a socket that is too old', () => {
    const scene = sound([received(1), opened(1)], { pool: { size: 1, maxLifetimeMs: 100 } });
    scene.core.at = 102;
    const granted: Decision = {
      type: 'lease.granted',
      ...{ request: 1, lease: 1, backend: 'a', socket: 1, reused: false },
    };
    found(scene, ['socket 1 was leased at 100 ms'], [granted]);
    // The lease has ended within the step.
    found(scene, [], [requested(1, 7), { ...granted, lease: 7 }, released(7)]);
  });
});

describe('an audit finds, since it remembers,', () => {
  it('a lease that is begun or released twice', () => {
    const scene = sound([received(1)]);
    found(scene, ['lease 1 was begun twice'], [requested(1, 1)]);
    found(scene, [], [released(1)]);
    found(scene, ['lease 1 was released twice, or never begun'], [released(1)]);
  });

  it('a request that ends twice', () => {
    const scene = sound();
    const rejected: Decision = { type: 'request.rejected', request: 5, code: 'queue_full' };
    found(scene, ['request 5 ended twice, or was never received'], [rejected]);
  });

  it('a request that is under way and was never received', () => {
    const scene = sound();
    const { core } = sound([received(1), received(2), received(3)]);
    const waiting = core.requests.get(3) ?? assert.fail();
    scene.core.requests.set(3, waiting);
    const breaches = scene.audit.check(scene.core, TICK, []);
    assert.equal(breaches[0], 'request 3 is under way after it ended');
  });

  it('an answer that is held back for good', () => {
    const scene = sound([received(1), opened(1)]);
    const held: Fact = { type: 'response.started', request: 1, lease: 1, status: 503, held: true };
    found(scene, ['the answer to request 1 is held back for good'], [], held);
  });

  it('current weights that came from nowhere', () => {
    const scene = sound();
    peerA(scene).currentWeight = 3;
    found(scene, ['the current weights came to 0 and now to 3']);
  });
});
