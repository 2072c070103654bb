/** What the core decides, told as given / when / then; the invariants are checked after every fact. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, Fact } from '../../src/actors/events.ts';
import {
  backend,
  coreConfig,
  ended,
  failed,
  given,
  only,
  probeFailed,
  probeSucceeded,
  received,
  serveOne,
  started,
} from '../support/core.ts';

const one = [backend('a')];
const types = (decisions: readonly Decision[]) => decisions.map(({ type }) => type);
const opened = (socket: number, id = 'a'): Fact => ({ type: 'socket.opened', backend: id, socket });
const reload = (config = coreConfig()): Fact => ({ type: 'config.reloaded', config });

describe('placing a request', () => {
  it('selects a backend and asks for a socket, then grants it when it is open', () => {
    const scene = given(coreConfig({ backends: one }));
    assert.deepEqual(scene.when(received(1)), [
      { type: 'backend.selected', request: 1, backend: 'a' },
      { type: 'socket.requested', request: 1, lease: 1, backend: 'a', socket: 1 },
    ]);
    assert.deepEqual(scene.when(opened(1)), [
      { type: 'lease.granted', request: 1, lease: 1, backend: 'a', socket: 1, reused: false },
    ]);
  });

  it('grants a kept socket at once', () => {
    const scene = given(coreConfig({ backends: one }));
    serveOne(scene, 1);
    assert.deepEqual(scene.when(received(2)).at(-1), {
      type: 'lease.granted',
      request: 2,
      lease: 2,
      backend: 'a',
      socket: 1,
      reused: true,
    });
  });

  it('takes the socket used last first', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), received(2), opened(1), opened(2), ended(1, 1), ended(2, 2));
    assert.equal(only(scene.when(received(3)), 'lease.granted')[0]?.socket, 2);
  });

  it('deals requests out by weight, exactly', () => {
    const scene = given(coreConfig());
    const order = Array.from({ length: 14 }, (_, index) => serveOne(scene, index + 1));
    assert.equal(order.join(''), 'aabacaaaabacaa');
  });

  it('passes over a backend whose pool is full', () => {
    const scene = given(coreConfig({ pool: { size: 1 } }));
    const order = [1, 2, 3].flatMap((request) => only(scene.when(received(request)), 'backend.selected'));
    assert.deepEqual(order.map((decision) => decision.backend).sort(), ['a', 'b', 'c']);
  });

  it('rejects at once when no backend is configured', () => {
    const scene = given(coreConfig({ backends: [] }));
    assert.deepEqual(scene.when(received(1)), [
      { type: 'request.rejected', request: 1, code: 'no_backend_configured' },
    ]);
  });

  it('rejects at once when no backend is healthy', () => {
    const scene = given(coreConfig({ health: { initial: 'unhealthy' } }));
    assert.equal(only(scene.when(received(1)), 'request.rejected')[0]?.code, 'no_healthy_backend');
  });

  it('opens a new socket for a body that can be sent only once', () => {
    const scene = given(coreConfig({ backends: one, pool: { size: 1 } }));
    serveOne(scene, 1);
    assert.deepEqual(types(scene.when(received(2, { replayable: false }))), [
      'backend.selected',
      'socket.evicted',
      'socket.requested',
    ]);
  });
});

describe('a request that is reported twice', () => {
  it('is the one request that it is', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1));
    assert.deepEqual(scene.when(received(1)), []);
    assert.equal(scene.balancer.backends()[0]?.requests.inFlight, 1);
  });
});

describe('what operators see of the traffic', () => {
  it('is the line with its longest wait, and no retries where they are not limited', () => {
    const scene = given(coreConfig({ backends: one, pool: { size: 1 }, queue: { max: 7 } }));
    assert.deepEqual(scene.balancer.traffic(1_000_001), {
      queue: { length: 0, max: 7, longestWaitMs: 0 },
      retries: { inWindow: null, withheld: 0 },
    });
    scene.when(received(1), received(2), received(3));
    const { queue } = scene.balancer.traffic(1_000_103);
    assert.deepEqual(queue, { length: 2, max: 7, longestWaitMs: 100 });
  });

  it('is the retries in the window, and those that were withheld', () => {
    const retry = { budgetShare: 0, budgetWindowMs: 10_000, attempts: 9 };
    const scene = given(coreConfig({ pool: { size: 1 }, retry }));
    for (const lease of [1, 2])
      scene.when(...(lease === 1 ? [received(1)] : []), opened(lease), failed(1, lease));
    assert.deepEqual(scene.balancer.traffic(1_000_009).retries, { inWindow: 2, withheld: 0 });
    assert.deepEqual(scene.balancer.traffic(1_020_000).retries, { inWindow: 0, withheld: 0 });
  });
});

describe('the queue', () => {
  const full = () => {
    const scene = given(coreConfig({ backends: one, pool: { size: 1 }, queue: { max: 2, timeoutMs: 500 } }));
    scene.when(received(1), opened(1));
    return scene;
  };

  it('holds a request when all pools are full, with a deadline', () => {
    const [queued] = only(full().when(received(2)), 'request.queued');
    assert.deepEqual([queued?.length, queued && queued.deadline - 1_000_004], [1, 500]);
  });

  it('gives a free socket to the one who came first', () => {
    const scene = full();
    scene.when(received(2), received(3));
    assert.equal(only(scene.when(ended(1, 1)), 'lease.granted')[0]?.request, 2);
  });

  it('takes the first lease that frees anywhere', () => {
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 } }));
    scene.when(received(1), received(2), received(3));
    scene.when(opened(2, 'b'));
    assert.equal(only(scene.when(ended(2, 2)), 'backend.selected')[0]?.backend, 'b');
  });

  it('rejects when it is full', () => {
    const scene = full();
    scene.when(received(2), received(3));
    assert.equal(only(scene.when(received(4)), 'request.rejected')[0]?.code, 'queue_full');
  });

  it('rejects a request whose time is over, and only that', () => {
    const scene = full();
    scene.when(received(2), received(3));
    assert.deepEqual(scene.after(500).when({ type: 'timer.fired', timer: 'queue', request: 2 }), [
      { type: 'request.rejected', request: 2, code: 'queue_timeout' },
    ]);
    assert.equal(only(scene.when(ended(1, 1)), 'lease.granted')[0]?.request, 3);
  });

  it('ignores a timer that comes after the wait has ended', () => {
    const scene = full();
    scene.when(received(2), ended(1, 1));
    assert.deepEqual(scene.when({ type: 'timer.fired', timer: 'queue', request: 2 }), []);
  });

  it('lets a client that leaves out of the line at once', () => {
    const scene = full();
    scene.when(received(2), received(3), { type: 'client.aborted', request: 2 });
    assert.equal(only(scene.when(ended(1, 1)), 'lease.granted')[0]?.request, 3);
  });

  it('is emptied with 503 when the last healthy backend falls', () => {
    const scene = full();
    scene.when(received(2));
    const decisions = scene.when(probeFailed('a'), probeFailed('a'), probeFailed('a'));
    assert.equal(only(decisions, 'request.rejected')[0]?.code, 'no_healthy_backend');
  });

  it('is served when a backend rises', () => {
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 } }));
    scene.when(probeFailed('b'), probeFailed('b'), probeFailed('b'), received(1), received(2));
    const decisions = scene.when(probeSucceeded('b'), probeSucceeded('b'));
    assert.equal(only(decisions, 'backend.selected')[0]?.backend, 'b');
  });
});

describe('a client that leaves', () => {
  it('frees its lease and has the socket closed', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1));
    assert.deepEqual(scene.when({ type: 'client.aborted', request: 1 }), [
      { type: 'lease.released', request: 1, lease: 1, backend: 'a', outcome: 'aborted' },
      { type: 'socket.evicted', backend: 'a', socket: 1, reason: 'aborted' },
    ]);
  });

  it('frees its lease while the socket is still being opened', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1));
    assert.equal(
      only(scene.when({ type: 'client.aborted', request: 1 }), 'lease.released')[0]?.outcome,
      'unopened',
    );
    assert.deepEqual(scene.when(opened(1)), []);
  });

  it('is not counted against the backend', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1), { type: 'client.aborted', request: 1 });
    assert.deepEqual(scene.balancer.backends()[0]?.requests, { total: 1, inFlight: 0, failed: 0 });
  });
});

describe('sockets', () => {
  it('leave the pool when the backend closes them while idle', () => {
    const scene = given(coreConfig({ backends: one }));
    serveOne(scene, 1);
    scene.when({ type: 'socket.closed', backend: 'a', socket: 1 });
    assert.deepEqual(types(scene.when(received(2))), ['backend.selected', 'socket.requested']);
  });

  it('are swept after their idle time, and not before', () => {
    const scene = given(coreConfig({ backends: one, pool: { idleTimeoutMs: 100 } }));
    serveOne(scene, 1);
    const sweep: Fact = { type: 'timer.fired', timer: 'sweep' };
    assert.deepEqual(scene.after(90).when(sweep), []);
    assert.deepEqual(scene.after(10).when(sweep), [
      { type: 'socket.evicted', backend: 'a', socket: 1, reason: 'idle' },
    ]);
  });

  it('that cannot be used again do not go back', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1));
    assert.equal(only(scene.when(ended(1, 1, false)), 'socket.evicted')[0]?.reason, 'unusable');
  });

  it('that closed while on lease are not evicted again', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1), started(1, 1), { type: 'socket.closed', backend: 'a', socket: 1 });
    assert.deepEqual(types(scene.when(failed(1, 1))), ['lease.released']);
  });

  it('of a backend that fell are closed while idle', () => {
    const scene = given(coreConfig({ backends: one, health: { fall: 1 } }));
    serveOne(scene, 1);
    assert.deepEqual(types(scene.when(probeFailed('a'))), ['backend.changed', 'socket.evicted']);
  });
});

describe('draining', () => {
  it('gives no new lease, lets those that are there end, and is drained then', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1));
    assert.equal(
      only(scene.when({ type: 'operator.drained', backend: 'a' }), 'backend.changed')[0]?.to,
      'draining',
    );
    assert.equal(only(scene.when(received(2)), 'request.rejected')[0]?.code, 'no_healthy_backend');
    assert.deepEqual(types(scene.when(ended(1, 1))), ['lease.released', 'socket.evicted', 'backend.changed']);
    assert.equal(scene.balancer.backends()[0]?.state, 'drained');
  });

  it('of an idle backend is over at once', () => {
    const scene = given(coreConfig({ backends: one }));
    serveOne(scene, 1);
    scene.when({ type: 'operator.drained', backend: 'a' });
    assert.equal(scene.balancer.backends()[0]?.state, 'drained');
    assert.equal(scene.balancer.backends()[0]?.pool.idle, 0);
  });

  it('is undone by restore', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when({ type: 'operator.drained', backend: 'a' }, { type: 'operator.restored', backend: 'a' });
    assert.equal(serveOne(scene, 1), 'a');
  });
});

describe('a reload', () => {
  it('keeps all that an unchanged backend has', () => {
    const scene = given(coreConfig());
    serveOne(scene, 1);
    serveOne(scene, 2);
    scene.when(probeFailed('a'), received(3), opened(3, 'b'));
    const before = scene.balancer.backends();
    scene.when(reload());
    assert.deepEqual(scene.balancer.backends(), before);
  });

  it('continues the round where it was', () => {
    const scene = given(coreConfig());
    const order = Array.from({ length: 14 }, (_, index) => {
      scene.when(reload());
      return serveOne(scene, index + 1);
    });
    assert.equal(order.join(''), 'aabacaaaabacaa');
  });

  it('counts a new weight from the next pick', () => {
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')] }));
    serveOne(scene, 1);
    scene.when(reload(coreConfig({ backends: [backend('a', 1), backend('b', 100)] })));
    assert.deepEqual(
      [2, 3, 4].map((request) => serveOne(scene, request)),
      ['b', 'b', 'b'],
    );
  });

  it('never lets the turns of an old, heavier round starve anybody in the new one', () => {
    const heavy = [backend('a', 1000), backend('b'), backend('c')];
    const scene = given(coreConfig({ backends: heavy }));
    for (let request = 1; request <= 501; request++) serveOne(scene, request);
    scene.when(reload(coreConfig({ backends: [backend('a'), backend('b'), backend('c')] })));
    const order = Array.from({ length: 12 }, (_, index) => serveOne(scene, 502 + index));
    for (const id of ['a', 'b', 'c'])
      assert.ok(order.filter((each) => each === id).length >= 2, order.join(''));
  });

  it('lets the leases of a removed backend end, then forgets it', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1));
    scene.when(reload(coreConfig({ backends: [backend('b')] })));
    assert.deepEqual(
      scene.balancer.backends().map(({ id, state }) => [id, state]),
      [
        ['b', 'healthy'],
        ['a', 'draining'],
      ],
    );
    scene.when(ended(1, 1));
    assert.deepEqual(
      scene.balancer.backends().map(({ id }) => id),
      ['b'],
    );
  });

  it('takes a removed backend back with what it had', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), opened(1));
    scene.when(reload(coreConfig({ backends: [backend('b')] })), reload(coreConfig({ backends: one })));
    assert.equal(scene.balancer.backends()[0]?.state, 'healthy');
    assert.equal(scene.balancer.backends()[0]?.requests.inFlight, 1);
  });

  it('closes the sockets to an old address, idle at once and leased after their request', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), received(2), opened(1), opened(2), ended(1, 1));
    const moved = coreConfig({ backends: [{ ...backend('a'), port: 9999 }] });
    assert.deepEqual(
      only(scene.when(reload(moved)), 'socket.evicted').map(({ socket }) => socket),
      [1],
    );
    assert.equal(only(scene.when(ended(2, 2)), 'socket.evicted')[0]?.reason, 'moved');
  });

  it('that makes pools smaller closes idle sockets at once and leased ones as they end', () => {
    const scene = given(coreConfig({ backends: one }));
    scene.when(received(1), received(2), received(3), opened(1), opened(2), opened(3), ended(1, 1));
    const smaller = coreConfig({ backends: one, pool: { size: 1 } });
    assert.equal(only(scene.when(reload(smaller)), 'socket.evicted').length, 1);
    assert.equal(only(scene.when(ended(2, 2)), 'socket.evicted')[0]?.reason, 'resized');
    assert.equal(only(scene.when(ended(3, 3)), 'socket.evicted').length, 0);
  });

  it('that is refused changes nothing', () => {
    const scene = given(coreConfig());
    assert.deepEqual(scene.when({ type: 'config.rejected', problems: 2 }), []);
  });
});

describe('stopping', () => {
  it('serves what still comes in, until the listener has closed', () => {
    const scene = given(coreConfig({ backends: one }));
    assert.deepEqual(scene.when({ type: 'gateway.stopping' }), []);
    assert.equal(serveOne(scene, 1), 'a');
    assert.deepEqual(scene.when({ type: 'listener.closed' }), [{ type: 'gateway.stopped' }]);
  });

  it('turns away what comes after that', () => {
    const scene = given(coreConfig());
    scene.when({ type: 'gateway.stopping' }, { type: 'listener.closed' });
    assert.equal(only(scene.when(received(1)), 'request.rejected')[0]?.code, 'gateway_stopping');
  });
});
