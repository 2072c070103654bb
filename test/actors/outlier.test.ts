/** Passive health: which requests speak against their backend, when it is ejected for them, and what becomes of the rest. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, Fact } from '../../src/actors/events.ts';
import { mostEjected } from '../../src/actors/outlier.ts';
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
  type Scene,
  serveOne,
  started,
} from '../support/core.ts';

const PAIR = [backend('a'), backend('b')];
const OUTLIER = { consecutiveFailures: 2, baseEjectionMs: 1000 };
const pair = coreConfig({ backends: PAIR, outlier: OUTLIER });
const opened = (socket: number, id: string): Fact => ({ type: 'socket.opened', backend: id, socket });
const expired = (id: string): Fact => ({ type: 'timer.fired', timer: 'ejection', backend: id });
const drained = (id: string): Fact => ({ type: 'operator.drained', backend: id });
const changes = (decisions: readonly Decision[]) =>
  only(decisions, 'backend.changed').map(({ backend: id, to }) => `${id} ${to}`);

function statesOf({ balancer }: Scene): Record<string, string> {
  return Object.fromEntries(balancer.backends().map(({ id, state }) => [id, state]));
}

function errorsOf({ balancer }: Scene, id: string): number | undefined {
  return balancer.backends().find((view) => view.id === id)?.consecutiveErrors;
}

/** Serves requests until this backend has failed so many of them; the others answer well. */
function failAt(scene: Scene, id: string, times: number, from = 1): number {
  let request = from;
  for (let left = times; left > 0; request += 1) {
    const decisions = scene.when(received(request));
    const [selected] = only(decisions, 'backend.selected');
    assert.ok(selected);
    const [requested] = only(decisions, 'socket.requested');
    if (requested !== undefined) scene.when(opened(requested.socket, requested.backend));
    const lease = requested?.lease ?? only(decisions, 'lease.granted')[0]?.lease ?? 0;
    if (selected.backend === id) left -= 1;
    scene.when(ended(request, lease, true, selected.backend === id ? 500 : 200));
  }
  return request;
}

describe('a request that speaks against its backend', () => {
  const cases: readonly [string, number, (scene: Scene) => void][] = [
    ['is one answered with 500', 1, (scene) => serveOne(scene, 1, 500)],
    ['is one answered with 503', 1, (scene) => serveOne(scene, 1, 503)],
    [
      'is one whose connection is refused',
      1,
      (scene) => {
        scene.when(received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
      },
    ],
    [
      'is one whose backend does not answer in time',
      1,
      (scene) => {
        scene.when(received(1), opened(1, 'a'), failed(1, 1, { reason: 'headersTimeout' }));
      },
    ],
    [
      'is one whose answer is no HTTP',
      1,
      (scene) => {
        scene.when(received(1), opened(1, 'a'), failed(1, 1, { reason: 'badResponse' }));
      },
    ],
    [
      'is one whose answer breaks off',
      1,
      (scene) => {
        scene.when(received(1), opened(1, 'a'), started(1, 1), failed(1, 1));
      },
    ],
    ['is none answered with 400', 0, (scene) => serveOne(scene, 1, 400)],
    ['is none answered with 401', 0, (scene) => serveOne(scene, 1, 401)],
    ['is none answered with 403', 0, (scene) => serveOne(scene, 1, 403)],
    ['is none answered with 429', 0, (scene) => serveOne(scene, 1, 429)],
    [
      'is none whose client leaves',
      0,
      (scene) => {
        scene.when(received(1), opened(1, 'a'), { type: 'client.aborted', request: 1 });
      },
    ],
    [
      'is none that met a stale socket',
      0,
      (scene) => {
        serveOne(scene, 1);
        serveOne(scene, 2);
        scene.when(received(3), failed(3, 3));
      },
    ],
    [
      'is none for which the gateway itself had no descriptor left',
      0,
      (scene) => {
        scene.when(received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'exhausted' });
      },
    ],
    [
      'is none that failed at an address the backend has left',
      0,
      (scene) => {
        const moved = coreConfig({
          backends: [{ ...backend('a'), port: 9 }, backend('b')],
          outlier: OUTLIER,
        });
        scene.when(received(1), { type: 'config.reloaded', config: moved });
        scene.when({ type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
      },
    ],
    [
      'is none that was sent to such an address, though the backend has fallen and risen since',
      0,
      (scene) => {
        const moved = coreConfig({
          backends: [{ ...backend('a'), port: 9 }, backend('b')],
          outlier: OUTLIER,
        });
        scene.when(received(1), opened(1, 'a'), { type: 'config.reloaded', config: moved });
        scene.when(probeFailed('a'), probeFailed('a'), probeFailed('a'));
        scene.when(probeSucceeded('a'), probeSucceeded('a'));
        assert.equal(statesOf(scene).a, 'healthy');
        scene.when(ended(1, 1, true, 500));
      },
    ],
  ];
  for (const [title, expected, play] of cases) {
    it(title, () => {
      const scene = given(pair);
      play(scene);
      assert.equal(errorsOf(scene, 'a'), expected);
    });
  }

  it('is forgotten with the next good answer, 4xx included', () => {
    const scene = given(pair);
    serveOne(scene, 1, 500);
    serveOne(scene, 2, 200);
    assert.equal(errorsOf(scene, 'a'), 1);
    serveOne(scene, 3, 404);
    assert.equal(errorsOf(scene, 'a'), 0);
  });
});

describe('an ejection', () => {
  it('follows on failures in a row, and says why and until when', () => {
    const scene = given(pair);
    failAt(scene, 'a', 1);
    serveOne(scene, 2);
    scene.when(received(3));
    assert.deepEqual(scene.when(ended(3, 3, true, 502)), [
      { type: 'lease.released', request: 3, lease: 3, backend: 'a', outcome: 'ended' },
      {
        type: 'backend.changed',
        backend: 'a',
        from: 'healthy',
        to: 'ejected',
        reason: '2 requests in a row failed, the last with: status 502; out for 1 s',
        deadline: 1_001_010,
      },
      { type: 'socket.evicted', backend: 'a', socket: 1, reason: 'ejected' },
    ]);
  });

  it('keeps new requests away, and lets those in flight end', () => {
    const scene = given(coreConfig({ backends: PAIR, outlier: { consecutiveFailures: 1 } }));
    scene.when(received(1), received(2), received(3), opened(1, 'a'), opened(2, 'b'), opened(3, 'a'));
    assert.deepEqual(changes(scene.when(ended(1, 1, true, 500))), ['a ejected']);
    assert.deepEqual([serveOne(scene, 4), serveOne(scene, 5)], ['b', 'b']);
    assert.deepEqual(only(scene.when(ended(3, 3)), 'socket.evicted')[0]?.reason, 'ejected');
  });

  it('ends with its timer, and not before its time', () => {
    const scene = given(pair);
    const next = failAt(scene, 'a', 2);
    assert.deepEqual(scene.when(expired('a')), []);
    assert.deepEqual(changes(scene.after(1000).when(expired('a'))), ['a healthy']);
    assert.deepEqual([serveOne(scene, next), serveOne(scene, next + 1)].sort(), ['a', 'b']);
  });

  it('gives room to those who wait when it ends', () => {
    const scene = given(coreConfig({ backends: PAIR, outlier: OUTLIER, pool: { size: 1 } }));
    const next = failAt(scene, 'a', 2);
    scene.when(received(next), received(next + 1));
    const decisions = scene.after(1000).when(expired('a'));
    assert.equal(only(decisions, 'backend.selected')[0]?.request, next + 1);
  });

  it('does not reject those who wait', () => {
    const scene = given(
      coreConfig({ backends: PAIR, outlier: { consecutiveFailures: 1 }, pool: { size: 1 } }),
    );
    scene.when(received(1), received(2), opened(1, 'a'), opened(2, 'b'), received(3));
    assert.deepEqual(only(scene.when(ended(1, 1, true, 500)), 'request.rejected'), []);
    assert.equal(only(scene.when(ended(2, 2)), 'backend.selected')[0]?.request, 3);
  });

  it('never befalls a lone backend', () => {
    const scene = given(
      coreConfig({ backends: [backend('a')], outlier: { ...OUTLIER, maxEjectedShare: 1 } }),
    );
    for (const request of [1, 2, 3, 4, 5]) serveOne(scene, request, 500);
    assert.deepEqual(statesOf(scene), { a: 'healthy' });
  });

  it('never befalls the last that is healthy', () => {
    const scene = given(coreConfig({ backends: PAIR, health: { fall: 1 }, outlier: OUTLIER }));
    scene.when(probeFailed('b'));
    for (const request of [1, 2, 3, 4, 5]) serveOne(scene, request, 500);
    assert.deepEqual(statesOf(scene), { a: 'healthy', b: 'unhealthy' });
    const [view] = scene.balancer.backends();
    assert.equal(view?.timesEjected, 0, 'nor is it taken back at once');
  });

  it('befalls at most the share of the backends that is allowed', () => {
    const backends = ['a', 'b', 'c', 'd', 'e'].map((id) => backend(id));
    const scene = given(coreConfig({ backends, outlier: { consecutiveFailures: 1 } }));
    for (let request = 1; request <= 30; request += 1) serveOne(scene, request, 500);
    assert.deepEqual(Object.values(statesOf(scene)).sort(), [
      'ejected',
      'ejected',
      'healthy',
      'healthy',
      'healthy',
    ]);
  });

  it('gives way when no other backend is healthy any more', () => {
    const scene = given(coreConfig({ backends: PAIR, health: { fall: 1 }, outlier: OUTLIER }));
    const next = failAt(scene, 'a', 2);
    assert.deepEqual(changes(scene.when(probeFailed('b'))), ['b unhealthy', 'a healthy']);
    assert.equal(serveOne(scene, next), 'a');
  });

  it('gives way when an operator drains the last that is healthy', () => {
    const scene = given(pair);
    failAt(scene, 'a', 2);
    assert.deepEqual(changes(scene.when(drained('b'))), ['b draining', 'b drained', 'a healthy']);
  });

  it('is ended by an operator', () => {
    const scene = given(pair);
    failAt(scene, 'a', 2);
    assert.deepEqual(changes(scene.when({ type: 'operator.restored', backend: 'a' })), ['a healthy']);
  });

  it('ends when the config switches it off, and lasts through another reload', () => {
    const scene = given(pair);
    failAt(scene, 'a', 2);
    const reload = (consecutiveFailures: number): Fact => ({
      type: 'config.reloaded',
      config: coreConfig({ backends: PAIR, outlier: { ...OUTLIER, consecutiveFailures } }),
    });
    assert.deepEqual(changes(scene.when(reload(7))), []);
    assert.deepEqual(changes(scene.when(reload(0))), ['a healthy']);
    failAt(scene, 'a', 9, 100);
    assert.deepEqual(statesOf(scene), { a: 'healthy', b: 'healthy' });
  });

  it('does not happen where the config knows of none, as in logs of before', () => {
    const scene = given(coreConfig({ backends: PAIR }));
    assert.equal(mostEjected(scene.balancer.core), 0);
    failAt(scene, 'a', 20);
    assert.deepEqual(statesOf(scene), { a: 'healthy', b: 'healthy' });
    assert.equal(errorsOf(scene, 'a'), 0);
  });

  it('lets a fast-failing backend draw no traffic', () => {
    const scene = given(coreConfig({ backends: PAIR, outlier: {} }));
    let served = 0;
    for (let request = 1; request <= 100; request += 1) {
      const [selected] = only(scene.when(received(request)), 'backend.selected');
      const { leases } = scene.balancer.core.pool.getSnapshot().context;
      const lease = [...leases.values()].find((each) => each.request === request);
      assert.ok(lease);
      if (!lease.opened) scene.when(opened(lease.socket, lease.backend));
      if (selected?.backend === 'a') served += 1;
      scene.when(ended(request, lease.lease, true, selected?.backend === 'a' ? 503 : 200));
    }
    assert.equal(served, 5);
  });
});
