/** The retry budget: what counts, what is left out, and what becomes of a request that is beyond it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, Fact } from '../../src/actors/events.ts';
import { budgetUnder, countRequest, retriesInWindow, spendRetry } from '../../src/actors/retry-budget.ts';
import {
  backend,
  type ConfigChanges,
  coreConfig,
  failed,
  given,
  held,
  only,
  received,
  type Scene,
  serveOne,
} from '../support/core.ts';

const opened = (socket: number, id: string): Fact => ({ type: 'socket.opened', backend: id, socket });

function scene(changes: ConfigChanges = {}): Scene {
  return given(
    coreConfig({
      backends: [backend('a'), backend('b')],
      pool: { size: 4 },
      ...changes,
      retry: {
        attempts: 1,
        on: ['emptyResponse', '503'],
        budgetShare: 0.2,
        budgetWindowMs: 10_000,
        ...changes.retry,
      },
    }),
  );
}

/** Sends a request, lets its first attempt go wrong, and ends it; says what came of the first attempt. */
function attempt(world: Scene, request: number, wrong: (lease: number) => Fact): Decision[] {
  const decisions = world.when(received(request));
  const [requested] = only(decisions, 'socket.requested');
  if (requested !== undefined) world.when(opened(requested.socket, requested.backend));
  const { leases } = world.balancer.core.pool.getSnapshot().context;
  const lease = [...leases.values()].find((each) => each.request === request)?.lease ?? 0;
  const outcome = world.when(wrong(lease));
  world.when({ type: 'client.aborted', request });
  return outcome;
}

const lost = (request: number) => (lease: number) => failed(request, lease);

describe('the retry budget', () => {
  it('always has as many retries as a backend can lose at once', () => {
    const world = scene();
    const retried = [1, 2, 3, 4, 5].map(
      (request) => only(attempt(world, request, lost(request)), 'request.retried').length,
    );
    assert.deepEqual(retried, [1, 1, 1, 1, 0]);
  });

  it('is never less than three', () => {
    const world = scene({ pool: { size: 1 } });
    const retried = [1, 2, 3, 4].map(
      (request) => only(attempt(world, request, lost(request)), 'request.retried').length,
    );
    assert.deepEqual(retried, [1, 1, 1, 0]);
  });

  it('grows with the requests in the window', () => {
    const world = scene();
    for (let request = 1; request <= 44; request += 1) serveOne(world, request);
    let retried = 0;
    for (let request = 45; request <= 70; request += 1) {
      // A new socket each time, since one that was kept would count as stale.
      world.when({ type: 'timer.fired', timer: 'sweep' });
      retried += only(
        attempt(world, request, (lease) => held(request, lease)),
        'request.retried',
      ).length;
    }
    assert.equal(retried, 14);
  });

  it('says that it kept a request from being sent again, whose code stays that of the failure', () => {
    const world = scene();
    for (const request of [1, 2, 3, 4]) attempt(world, request, lost(request));
    assert.deepEqual(only(attempt(world, 5, lost(5)), 'request.rejected'), [
      {
        type: 'request.rejected',
        request: 5,
        code: 'backend_failed',
        backend: 'a',
        reason: 'reset',
        withheld: 'retryBudget',
      },
    ]);
    assert.deepEqual(
      only(
        attempt(world, 6, (lease) => held(6, lease)),
        'response.passed',
      ).map(({ because }) => because),
      ['budgetExhausted'],
    );
    assert.equal(world.balancer.core.budget?.refused, 2);
  });

  it('is there again when the window has passed', () => {
    const world = scene();
    for (const request of [1, 2, 3, 4]) attempt(world, request, lost(request));
    world.after(9_000);
    assert.equal(only(attempt(world, 5, lost(5)), 'request.retried').length, 0);
    world.after(1_100);
    assert.equal(only(attempt(world, 6, lost(6)), 'request.retried').length, 1);
  });

  it('is not spent on what no backend has got', () => {
    const world = scene();
    const refused = (): Fact => {
      const { leases } = world.balancer.core.pool.getSnapshot().context;
      const lease = [...leases.values()].at(-1);
      return {
        type: 'socket.failed',
        backend: lease?.backend ?? '',
        socket: lease?.socket ?? 0,
        reason: 'refused',
      };
    };
    for (let request = 1; request <= 12; request += 1) {
      world.when(received(request));
      assert.equal(only(world.when(refused()), 'request.retried').length, 1);
      world.when({ type: 'client.aborted', request });
    }
  });

  it('is not spent on stale sockets, of which a request meets one at most', () => {
    const world = scene({ retry: { attempts: 0, on: [] } });
    for (const request of [1, 2, 3, 4, 5, 6, 7, 8]) serveOne(world, request);
    for (let request = 9; request < 30; request += 1) {
      const [granted] = only(world.when(received(request)), 'lease.granted');
      if (granted?.reused !== true) break;
      const [again] = only(world.when(failed(request, granted.lease)), 'socket.requested');
      assert.ok(again, 'a stale socket is followed by a new one');
      world.when(opened(again.socket, again.backend));
      assert.deepEqual(only(world.when(failed(request, again.lease)), 'request.retried'), []);
    }
    assert.equal(world.balancer.core.budget?.refused, 0);
  });

  it('is no limit where the config has none, as in logs of before', () => {
    const config = coreConfig({ backends: [backend('a'), backend('b')], pool: { size: 1 } });
    const world = given(config);
    for (let request = 1; request <= 20; request += 1) {
      assert.equal(only(attempt(world, request, lost(request)), 'request.retried').length, 1);
    }
  });
});

describe('a retry budget', () => {
  it('without a window counts the millisecond at hand', () => {
    const config = coreConfig({ pool: { size: 1 }, retry: { budgetShare: 1 } });
    const budget = budgetUnder(config, undefined);
    assert.ok(budget);
    countRequest(budget, config, 1000);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => spendRetry(budget, config, 1000)),
      [true, true, true, false],
    );
    assert.equal(retriesInWindow(budget, config, 1009), 3);
    assert.equal(retriesInWindow(budget, config, 1010), 0);
  });

  it('forgets the requests of each step as it leaves the window', () => {
    const config = coreConfig({ pool: { size: 1 }, retry: { budgetShare: 1, budgetWindowMs: 1000 } });
    const budget = budgetUnder(config, undefined) ?? assert.fail();
    for (let request = 0; request < 40; request += 1) countRequest(budget, config, 1_000_000);
    countRequest(budget, config, 1_000_500);
    // One request is left in the window, and three retries there may always be.
    const spent = [1, 2, 3, 4].map(() => spendRetry(budget, config, 1_001_200));
    assert.deepEqual(spent, [true, true, true, false]);
  });

  it('begins anew under a window of another length, longer or shorter', () => {
    const under = (budgetWindowMs: number) => coreConfig({ retry: { budgetShare: 1, budgetWindowMs } });
    for (const [before, after] of [
      [1_000, 10_000],
      [10_000, 1_000],
    ] as const) {
      const budget = budgetUnder(under(before), undefined) ?? assert.fail();
      spendRetry(budget, under(before), 1_000_000);
      assert.equal(retriesInWindow(budget, under(before), 1_000_000), 1);
      assert.equal(retriesInWindow(budget, under(after), 1_000_000), 0);
    }
  });
});
