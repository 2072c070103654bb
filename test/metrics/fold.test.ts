/** What entries add up to: each request counted once, by where and how it ended, and nothing that drifts from the core. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createBalancer } from '../../src/actors/balancer.ts';
import { poolOf } from '../../src/actors/core.ts';
import type { Entry, Fact } from '../../src/actors/events.ts';
import { createFigures, type Figures } from '../../src/actors/figures/figures.ts';
import { foldEntry } from '../../src/actors/figures/fold.ts';
import { resumeFigures } from '../../src/actors/figures/resume.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import {
  backend,
  type ConfigChanges,
  coreConfig,
  ended,
  failed,
  held,
  probeFailed,
  probeSucceeded,
  received,
  started,
} from '../support/core.ts';
import { ACTION_KINDS, createWorld, type World } from '../support/random-world.ts';

const START = 1_000_000;

/** A core whose entries are folded; facts come at the times given, in milliseconds after the start. */
function folding(changes: ConfigChanges = {}) {
  const balancer = createBalancer();
  const figures = createFigures();
  let seq = 0;
  const take = (at: number, ...facts: readonly Fact[]) => {
    for (const fact of facts) {
      seq += 1;
      foldEntry(figures, {
        v: 1,
        seq,
        at: START + at,
        fact,
        decisions: balancer.step(fact, START + at),
      });
    }
  };
  take(0, { type: 'gateway.started', version: '1.2.3', config: coreConfig(changes) });
  const of = (id: string) => figures.backends.get(id) ?? assert.fail(`no figures of ${id}`);
  return { figures, take, of };
}

const ONE = { backends: [backend('a')] };

/** A request number 1 that has been sent to `a`, received at 10 and granted at 20. */
function sent(changes: ConfigChanges = ONE) {
  const scene = folding(changes);
  scene.take(10, received(1));
  scene.take(20, { type: 'socket.opened', backend: 'a', socket: 1 });
  return scene;
}

describe('the figures of entries', () => {
  it('time an answer from the arrival and from the sending, and its pieces from the head on', () => {
    const { take, of, figures } = sent();
    take(120, started(1, 1));
    take(1120, { ...ended(1, 1), bytes: 500, chunks: 11 } as Fact);
    const { firstByte, ownFirstByte, duration, chunkInterval, outcomes, bytes, chunks, picks } = of('a');
    assert.deepEqual(
      [firstByte, ownFirstByte, duration, chunkInterval].map(({ sumMs }) => sumMs),
      [110, 100, 1110, 100],
    );
    assert.deepEqual([bytes, chunks, picks, outcomes['2xx']], [500, 11, 1, 1]);
    assert.equal(figures.flights.size, 0);
  });

  it('take the end of an answer that came all at once for its head, and no time between its pieces', () => {
    const { take, of } = sent();
    take(70, { ...ended(1, 1), chunks: 3 } as Fact);
    assert.deepEqual([of('a').firstByte.sumMs, of('a').duration.sumMs], [60, 60]);
    assert.equal(of('a').chunkInterval.sumMs, 0);
    assert.ok(of('a').chunkInterval.counts.every((count) => count === 0));
  });

  it('put an observation into the bucket whose bound it does not exceed', () => {
    const { take, of } = folding(ONE);
    for (const latencyMs of [0, 1, 2, 3, 5000, 5001]) {
      take(latencyMs, { type: 'probe.succeeded', backend: 'a', status: 200, latencyMs });
    }
    assert.deepEqual(of('a').probe.counts, [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    assert.equal(of('a').probesSucceeded, 6);
  });

  it('count an answer that was broken off as such, with the bytes that came', () => {
    const { take, of } = sent();
    take(30, started(1, 1), failed(1, 1, { reason: 'reset', bytes: 40, chunks: 2 }));
    assert.deepEqual([of('a').outcomes.broken, of('a').outcomes['2xx']], [1, 0]);
    assert.deepEqual([of('a').failures.reset, of('a').failures.stale, of('a').bytes], [1, 0, 40]);
  });

  it('tell a stale socket from a failure, and count the retry with that reason', () => {
    const { take, of, figures } = sent({ backends: [backend('a'), backend('b')] });
    take(30, started(1, 1), ended(1, 1));
    take(40, received(2));
    take(50, { type: 'socket.opened', backend: 'b', socket: 2 }, started(2, 2), ended(2, 2));
    take(60, received(3), failed(3, 3, { reason: 'reset' }));
    assert.deepEqual([of('a').failures.stale, of('a').failures.reset], [1, 0]);
    assert.deepEqual([figures.retries.stale, figures.retries.reset], [1, 0]);
    assert.equal(of('b').picks, 2);
  });

  it('count the retry of an answer that was thrown away by its status', () => {
    const { take, figures } = sent({
      backends: [backend('a'), backend('b')],
      retry: { attempts: 2, on: ['503'] },
    });
    take(30, held(1, 1, 503));
    assert.equal(figures.retries.status, 1);
  });

  it('sort answers into classes, and what has none into one of its own', () => {
    const { take, of } = folding(ONE);
    for (const [index, status] of [101, 200, 302, 404, 503, 600].entries()) {
      const request = index + 1;
      take(index, received(request));
      if (index === 0) take(index, { type: 'socket.opened', backend: 'a', socket: 1 });
      take(index, ended(request, request, true, status));
    }
    assert.deepEqual(of('a').outcomes, {
      ...{ '1xx': 1, '2xx': 1, '3xx': 1, '4xx': 1, '5xx': 1, other: 1 },
      ...{ aborted: 0, broken: 0 },
    });
  });

  it('count the retries that the budget withheld, whether the client got an error or the answer of its backend', () => {
    const { take, figures } = folding({
      backends: [backend('a'), backend('b')],
      pool: { size: 1 },
      retry: { attempts: 1, on: ['emptyResponse', '503'], budgetShare: 0, budgetWindowMs: 10_000 },
    });
    // The least budget is three; each retry takes a lease and a socket of its own.
    const attempts = [
      [failed, 1],
      [failed, 3],
      [failed, 5],
      [failed, 7],
      [held, 8],
    ] as const;
    for (const [index, [outcome, lease]] of attempts.entries()) {
      const request = index + 1;
      take(index, received(request), { type: 'socket.opened', backend: 'any', socket: lease });
      take(index, outcome(request, lease), { type: 'client.aborted', request });
    }
    assert.deepEqual([figures.retries.reset, figures.withheldRetries], [3, 2]);
  });

  it('count a connection that could not be opened as a failure of its backend, and the rejection as an answer of none', () => {
    const { take, of, figures } = folding(ONE);
    take(10, received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
    assert.equal(of('a').failures.refused, 1);
    assert.equal(figures.rejections.backend_unreachable, 1);
    assert.deepEqual([figures.outcomes['5xx'], of('a').outcomes['5xx']], [1, 0]);
  });

  it('count clients that left by where their requests were, and each stay in line', () => {
    const { take, of, figures } = sent({ ...ONE, pool: { size: 1 } });
    take(30, received(2), received(3));
    take(50, { type: 'client.aborted', request: 2 });
    take(90, { type: 'client.aborted', request: 1 });
    assert.deepEqual(figures.aborts, { waiting: 1, connecting: 0, sent: 1, answering: 0 });
    assert.deepEqual([figures.outcomes.aborted, of('a').outcomes.aborted], [1, 1]);
    assert.equal(figures.queueWait.sumMs, 20 + 60);
    take(95, { type: 'client.aborted', request: 2 });
    assert.equal(figures.outcomes.aborted, 1);
  });

  it('count an answer that asks to be left alone like any other', () => {
    const { figures, take, of } = sent({ ...ONE, outlier: {} });
    const amount = { bytes: 10, chunks: 1, reusable: true };
    take(30, { type: 'response.ended', request: 1, lease: 1, status: 429, ...amount, retryAfterMs: 1000 });
    assert.deepEqual([of('a').outcomes['4xx'], figures.flights.size], [1, 0]);
  });

  it('let what came too late count for nothing but a fact', () => {
    const { take, of, figures } = sent();
    take(30, started(1, 1), ended(1, 1), ended(1, 1), failed(1, 1), started(1, 1));
    take(31, { type: 'socket.failed', backend: 'a', socket: 1, reason: 'reset' });
    assert.deepEqual([of('a').outcomes['2xx'], of('a').failures.reset], [1, 0]);
    assert.equal(figures.facts['response.ended'], 2);
  });

  it('do not take the head of an earlier attempt for that of the one under way', () => {
    const { take, of } = sent({ backends: [backend('a'), backend('b')] });
    take(30, failed(1, 1));
    take(40, { type: 'socket.opened', backend: 'b', socket: 2 }, started(1, 1));
    take(90, started(1, 2), ended(1, 2));
    assert.deepEqual([of('b').ownFirstByte.sumMs, of('b').firstByte.sumMs], [50, 80]);
  });

  it('count state changes by what was reached, and reloads with the outcome of the last', () => {
    const { take, of, figures } = folding({ ...ONE, health: { fall: 1, rise: 1 } });
    take(10, probeFailed('a'), probeSucceeded('a'), { type: 'config.rejected', problems: 1 });
    assert.deepEqual([of('a').changes.unhealthy, of('a').changes.healthy], [1, 1]);
    assert.deepEqual([figures.reloadsRefused, figures.isLastReloadRefused], [1, true]);
    take(20, { type: 'config.reloaded', config: coreConfig({ ...ONE, queue: { max: 7 } }) });
    assert.deepEqual([figures.reloadsApplied, figures.isLastReloadRefused], [1, false]);
    assert.equal(figures.queueMax, 7);
  });

  it('forget a backend once it is removed, but not while it drains', () => {
    const { take, figures } = sent({ backends: [backend('a'), backend('b')] });
    take(30, { type: 'config.reloaded', config: coreConfig({ backends: [backend('b')] }) });
    assert.deepEqual([...figures.backends.keys()], ['a', 'b']);
    take(40, started(1, 1), ended(1, 1), probeFailed('a'));
    assert.deepEqual([...figures.backends.keys()], ['b']);
  });

  it('begin anew when the gateway starts', () => {
    const { take, figures } = sent();
    take(30, started(1, 1), ended(1, 1));
    foldEntry(figures, {
      v: 1,
      seq: 100,
      at: START + 500,
      fact: { type: 'gateway.started', version: '1.2.4', config: coreConfig(ONE) },
      decisions: [],
    });
    assert.deepEqual([figures.version, figures.startedAt], ['1.2.4', START + 500]);
    assert.deepEqual([figures.backends.get('a')?.picks, figures.facts['request.received']], [0, 0]);
  });
});

const acts = fc.array(fc.tuple(fc.nat({ max: ACTION_KINDS - 1 }), fc.nat({ max: 0xffff })), {
  minLength: 20,
  maxLength: 300,
  size: 'max',
});

function entriesOf({ history }: World): Entry[] {
  return history.map((each, index) => ({ v: 1, seq: index + 1, ...each }));
}

/** What the figures know that the core knows as well. */
function sharedOf(figures: Figures) {
  const phases = [...figures.flights].map(([request, { phase }]) => [
    request,
    phase === 'waiting' || phase === 'answering' ? phase : 'leased',
  ]);
  return { phases: Object.fromEntries(phases), backends: [...figures.backends.keys()].sort() };
}

function sharedOfCore({ balancer: { core } }: World) {
  const phases = [...core.requests].map(([request, { phase }]) => [request, phase]);
  return { phases: Object.fromEntries(phases), backends: [...core.backends.keys()].sort() };
}

describe('the figures of a random world', () => {
  it('agree with the core on every backend, request, pick and failure, at each step', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const world = createWorld();
        const figures = createFigures();
        let folded = 0;
        for (const [kind, choice] of list) {
          world.act(kind, choice);
          for (const entry of entriesOf(world).slice(folded)) foldEntry(figures, entry);
          folded = world.history.length;
          assert.deepEqual(sharedOf(figures), sharedOfCore(world));
        }
        for (const { id, requests } of world.balancer.backends()) {
          const { picks, failures } = figures.backends.get(id) ?? assert.fail(id);
          const { stale: _, ...counted } = failures;
          const failedThere = Object.values(counted).reduce((sum, count) => sum + count, 0);
          assert.deepEqual([picks, failedThere], [requests.total, requests.failed]);
        }
        const waiting = [...figures.flights.values()].filter(({ phase }) => phase === 'waiting').length;
        assert.equal(waiting, poolOf(world.balancer.core).waiting.length);
        assert.equal(figures.withheldRetries, world.balancer.core.budget?.refused ?? 0);
      }),
      { numRuns: 200 },
    );
  });

  it('begin anywhere without harm: what they did not see the beginning of is not counted', () => {
    fc.assert(
      fc.property(acts, fc.nat(), (list, at) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        const entries = entriesOf(world);
        const figures = createFigures();
        for (const entry of entries.slice(1 + (at % entries.length))) foldEntry(figures, entry);
        for (const [request, { receivedAt }] of figures.flights) {
          assert.ok(receivedAt >= 0 && world.balancer.core.requests.has(request));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('go on from a snapshot at any point as if they had seen what was before', () => {
    fc.assert(
      fc.property(acts, fc.nat(), (list, at) => {
        const world = createWorld();
        for (const [kind, choice] of list) world.act(kind, choice);
        const entries = entriesOf(world);
        const cut = 1 + (at % entries.length);
        const before = createBalancer();
        for (const { fact, at: time } of entries.slice(0, cut)) before.step(fact, time);
        const [whole, resumed] = [createFigures(), createFigures()];
        for (const entry of entries) foldEntry(whole, entry);
        resumeFigures(resumed, takeSnapshot(before.core));
        for (const entry of entries.slice(cut)) foldEntry(resumed, entry);
        assert.deepEqual(sharedOf(resumed), sharedOf(whole));
        assert.equal(resumed.queueMax, whole.queueMax);
      }),
      { numRuns: 200 },
    );
  });
});
