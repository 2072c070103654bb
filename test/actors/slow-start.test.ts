/** Slow start: who comes back by degrees, in weight and in sockets, and who does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/actors/events.ts';
import {
  backend,
  type ConfigChanges,
  coreConfig,
  ended,
  given,
  only,
  probeFailed,
  probeSucceeded,
  received,
  type Scene,
  serveOne,
} from '../support/core.ts';

const opened = (socket: number, id: string): Fact => ({ type: 'socket.opened', backend: id, socket });
const CHANGES: ConfigChanges = {
  backends: [backend('a', 4), backend('b', 4)],
  health: { fall: 1, rise: 1, slowStartMs: 15_000 },
  pool: { size: 32 },
};

function scene(changes: ConfigChanges = {}): Scene {
  return given(coreConfig({ ...CHANGES, ...changes }));
}

/** Effective weight and the leases allowed. */
function shareOf({ balancer }: Scene, id: string): [number, number] {
  const view = balancer.backends().find((each) => each.id === id);
  return [view?.effectiveWeight ?? -1, view?.pool.limit ?? -1];
}

const sweep: Fact = { type: 'timer.fired', timer: 'sweep' };
const WHOLE = [4, 32];
const FIRST = [0.25, 2];

describe('slow start', () => {
  const returns: readonly [string, (world: Scene) => void][] = [
    ['rose again', (world) => void world.when(probeFailed('a'), probeSucceeded('a'))],
    [
      'was drained',
      (world) =>
        void world.when(
          { type: 'operator.drained', backend: 'a' },
          { type: 'operator.restored', backend: 'a' },
        ),
    ],
    [
      'was draining and had requests still',
      (world) =>
        void world.when(
          received(1),
          opened(1, 'a'),
          { type: 'operator.drained', backend: 'a' },
          { type: 'operator.restored', backend: 'a' },
        ),
    ],
    [
      'was ejected',
      (world) => {
        for (const request of [1, 2, 3]) serveOne(world, request, request % 2 === 1 ? 500 : 200);
        world.after(30_000).when({ type: 'timer.fired', timer: 'ejection', backend: 'a' });
      },
    ],
  ];
  for (const [title, play] of returns) {
    it(`begins for a backend that ${title}`, () => {
      const world = scene({ outlier: { consecutiveFailures: 1 } });
      play(world);
      assert.deepEqual(shareOf(world, 'a'), FIRST);
      assert.deepEqual(shareOf(world, 'b'), WHOLE);
    });
  }

  it('does not begin at the start of the gateway, however backends start', () => {
    assert.deepEqual(shareOf(scene(), 'a'), WHOLE);
    const proving = scene({ health: { fall: 1, rise: 1, slowStartMs: 15_000, initial: 'unhealthy' } });
    proving.when(probeSucceeded('a'));
    assert.deepEqual(shareOf(proving, 'a'), WHOLE);
    proving.when(probeFailed('a'), probeSucceeded('a'));
    assert.deepEqual(shareOf(proving, 'a'), FIRST);
  });

  it('does not begin where it is switched off, or not known, as in logs of before', () => {
    for (const health of [
      { fall: 1, rise: 1, slowStartMs: 0 },
      { fall: 1, rise: 1 },
    ]) {
      const world = scene({ health });
      world.when(probeFailed('a'), probeSucceeded('a'));
      assert.deepEqual(shareOf(world, 'a'), WHOLE);
    }
  });

  it('grows evenly, in sixteenths, with the time of the facts', () => {
    const world = scene();
    world.when(probeFailed('a'), probeSucceeded('a'));
    const shares = Array.from({ length: 16 }, () => {
      const share = shareOf(world, 'a');
      world.after(999).when(sweep);
      return share;
    });
    assert.deepEqual(
      shares,
      Array.from({ length: 16 }, (_, step) => [(4 * (step + 1)) / 16, 2 * (step + 1)]),
    );
  });

  it('is over at its end, and nothing is left of it', () => {
    const world = scene();
    world.when(probeFailed('a'), probeSucceeded('a'));
    assert.equal(world.balancer.core.ramps.size, 1);
    world.after(15_000).when(sweep);
    assert.deepEqual([shareOf(world, 'a'), world.balancer.core.ramps.size], [WHOLE, 0]);
  });

  it('takes sixteenths of the weight of the backend itself, whichever it is', () => {
    const world = scene({ backends: [backend('a', 4), backend('b', 8)] });
    world.when(probeFailed('b'), probeSucceeded('b'));
    assert.deepEqual([shareOf(world, 'a'), shareOf(world, 'b')], [WHOLE, [0.5, 2]]);
  });

  it('is over in the very millisecond in which a reload switches it off', () => {
    const { balancer } = scene();
    const at = 2_000_000;
    balancer.step(probeFailed('a'), at);
    balancer.step(probeSucceeded('a'), at);
    const config = coreConfig({ ...CHANGES, health: { fall: 1, rise: 1, slowStartMs: 0 } });
    balancer.step({ type: 'config.reloaded', config }, at);
    const [view] = balancer.backends();
    assert.deepEqual([view?.effectiveWeight, view?.pool.limit], WHOLE);
  });

  it('gives a backend its sixteenths of the requests', () => {
    const world = scene();
    world.when(probeFailed('a'), probeSucceeded('a'));
    const chosen = Array.from({ length: 34 }, (_, index) => serveOne(world, index + 1));
    assert.equal(chosen.filter((id) => id === 'a').length, 2);
  });

  it('always leaves room for one request', () => {
    const world = scene({ pool: { size: 3 } });
    world.when(probeFailed('a'), probeSucceeded('a'));
    assert.deepEqual(shareOf(world, 'a'), [0.25, 1]);
  });

  it('lets those who wait have the sockets that come with time', () => {
    const world = scene({ pool: { size: 16 } });
    world.when(probeFailed('b'), probeFailed('a'), probeSucceeded('a'));
    world.when(received(1));
    assert.equal(only(world.when(received(2)), 'request.queued').length, 1);
    const decisions = world.after(1000).when(probeSucceeded('a'));
    assert.equal(only(decisions, 'backend.selected')[0]?.request, 2);
  });

  it('gives the sockets that come with time to those who wait, not to one who comes just then', () => {
    const world = scene({ pool: { size: 16 } });
    world.when(probeFailed('b'), probeFailed('a'), probeSucceeded('a'));
    world.when(received(1), received(2));
    const decisions = world.after(1000).when(received(3));
    assert.deepEqual(
      only(decisions, 'backend.selected').map(({ request }) => request),
      [2],
    );
  });

  it('begins anew for a backend that falls meanwhile', () => {
    const world = scene();
    world.when(probeFailed('a'), probeSucceeded('a'));
    world.after(8_000).when(probeFailed('a'));
    assert.deepEqual(shareOf(world, 'a'), WHOLE);
    world.when(probeSucceeded('a'));
    assert.deepEqual(shareOf(world, 'a'), FIRST);
  });

  it('goes on under a reload, with the new weight and size', () => {
    const world = scene();
    world.when(probeFailed('a'), probeSucceeded('a'));
    const backends = [backend('a', 8), backend('b', 4)];
    const reload = (changes: ConfigChanges): Fact => ({
      type: 'config.reloaded',
      config: coreConfig({ ...CHANGES, ...changes }),
    });
    world.when(reload({ backends, pool: { size: 64 } }));
    assert.deepEqual(shareOf(world, 'a'), [0.5, 4]);
    world.when(reload({ backends, health: { fall: 1, rise: 1, slowStartMs: 0 } }));
    assert.deepEqual(shareOf(world, 'a'), [8, 32]);
  });

  it('takes no socket away from requests in flight', () => {
    const world = scene({ pool: { size: 16 } });
    for (let request = 1; request <= 8; request += 1) {
      const [requested] = only(world.when(received(request)), 'socket.requested');
      world.when(opened(requested?.socket ?? 0, requested?.backend ?? ''));
    }
    world.when({ type: 'operator.drained', backend: 'a' }, { type: 'operator.restored', backend: 'a' });
    const view = world.balancer.backends()[0];
    assert.deepEqual([view?.pool.leased, view?.pool.limit], [4, 1]);
    assert.equal(only(world.when(ended(1, 1)), 'lease.released')[0]?.outcome, 'ended');
    assert.equal(serveOne(world, 20), 'b');
  });
});
