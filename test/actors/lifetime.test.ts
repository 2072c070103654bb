/** How old a socket may get: it is not taken from the idle ones, and it is closed at a sweep or when its lease ends. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, Fact } from '../../src/actors/events.ts';
import {
  backend,
  type ConfigChanges,
  coreConfig,
  ended,
  given,
  only,
  received,
  serveOne,
} from '../support/core.ts';

const CHANGES: ConfigChanges = { backends: [backend('a')], pool: { maxLifetimeMs: 1000 } };
const sweep: Fact = { type: 'timer.fired', timer: 'sweep' };
const reload = (maxLifetimeMs: number): Fact => ({
  type: 'config.reloaded',
  config: coreConfig({ ...CHANGES, pool: { maxLifetimeMs } }),
});
const evicted = (decisions: readonly Decision[]) =>
  only(decisions, 'socket.evicted').map(({ socket, reason }) => `${socket} ${reason}`);

function scene(changes: ConfigChanges = {}) {
  return given(coreConfig({ ...CHANGES, ...changes }));
}

describe('a socket that is too old', () => {
  it('is not taken from the idle ones: it is closed, and a new one opened', () => {
    const world = scene();
    serveOne(world, 1);
    const decisions = world.after(1000).when(received(2));
    assert.deepEqual(
      decisions.map(({ type }) => type),
      ['backend.selected', 'socket.evicted', 'socket.requested'],
    );
    assert.deepEqual(evicted(decisions), ['1 expired']);
  });

  it('makes way for a younger one that is idle too', () => {
    const world = scene();
    world.when(received(1), { type: 'socket.opened', backend: 'a', socket: 1 });
    world.after(600).when(received(2), { type: 'socket.opened', backend: 'a', socket: 2 });
    // The old one was used last, and would be taken first.
    world.when(ended(2, 2), ended(1, 1));
    const decisions = world.after(500).when(received(3));
    assert.deepEqual(evicted(decisions), ['1 expired']);
    assert.equal(only(decisions, 'lease.granted')[0]?.socket, 2);
  });

  it('is closed when its lease ends, and never before', () => {
    const world = scene();
    world.when(received(1), { type: 'socket.opened', backend: 'a', socket: 1 });
    assert.deepEqual(evicted(world.after(5000).when(sweep)), []);
    assert.deepEqual(evicted(world.when(ended(1, 1))), ['1 expired']);
  });

  it('is closed at a sweep while it is idle', () => {
    const world = scene();
    serveOne(world, 1);
    assert.deepEqual(evicted(world.after(900).when(sweep)), []);
    assert.deepEqual(evicted(world.after(200).when(sweep)), ['1 expired']);
  });
});

describe('a socket', () => {
  it('is used again as long as it is young enough, however often', () => {
    const world = scene();
    serveOne(world, 1);
    for (let request = 2; request < 20; request += 1) {
      serveOne(world, request);
      world.after(40);
    }
    assert.deepEqual(world.balancer.backends()[0]?.pool.opened, 1);
  });

  it('gets as old as it likes where there is no limit, as in logs of before', () => {
    for (const pool of [{ maxLifetimeMs: 0 }, {}]) {
      const world = scene({ pool });
      serveOne(world, 1);
      assert.equal(only(world.after(50_000).when(received(2)), 'lease.granted')[0]?.reused, true);
    }
  });

  it('begins to age when a reload limits it, and ceases when one does not any more', () => {
    const world = scene({ pool: { maxLifetimeMs: 0 } });
    serveOne(world, 1);
    world.after(5_000).when(reload(1000));
    assert.deepEqual(evicted(world.after(900).when(sweep)), []);
    world.when(reload(0));
    assert.deepEqual(evicted(world.after(5_000).when(reload(1000), sweep)), []);
    assert.deepEqual(evicted(world.after(1000).when(sweep)), ['1 expired']);
  });
});
