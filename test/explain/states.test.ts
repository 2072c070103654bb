/** The life of a backend and the state at a moment, as the JSON has them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { watchBackend } from '../../src/actors/explain/backend-watch.ts';
import { watchMoment } from '../../src/actors/explain/moment-watch.ts';
import type { Point } from '../../src/io/event-log/replay-range.ts';
import { backend, coreConfig, ended, failed, probeFailed, received, started } from '../support/core.ts';
import { busyNight, longNight } from './scenes.ts';
import { opened, play, record, START } from './support.ts';

async function lifeOfBackend(folder: string, id: string) {
  const watch = watchBackend(id);
  await play(folder, watch);
  return watch.report();
}

async function momentOf(folder: string, until: Point) {
  const watch = watchMoment();
  const { playback } = await play(folder, watch, until);
  assert.ok(playback.scene);
  return watch.report(playback.scene);
}

describe('the life of a backend', () => {
  it('has each change of its state, with what brought it and how long it lasted', async () => {
    const { stretches } = await lifeOfBackend(longNight(), 'gpu-1:8000');
    assert.deepEqual(
      stretches.map(({ periods }) =>
        periods.map(({ from, state, reason, at, until, lastAt }) => [
          from,
          state,
          reason,
          (until ?? lastAt) - at,
        ]),
      ),
      [
        [
          [null, 'healthy', 'configured', 314_000],
          ['healthy', 'draining', 'drained by an operator', 4000],
          ['draining', 'drained', 'no lease left', 60_000],
          ['drained', 'healthy', 'restored by an operator', 6000],
          ['healthy', 'unhealthy', '2 of 2 probes failed, the last with: refused', 5000],
        ],
        [[null, 'healthy', 'configured', 5000]],
      ],
    );
  });

  it('counts its probes in runs, its requests and its sockets', async () => {
    const folder = record(coreConfig({ backends: [backend('a')] }), (script) => {
      script.take(probeFailed('a'), probeFailed('a'), { ...PROBE, status: 204 }, PROBE);
      script.take(received(1), opened('a', 1), started(1, 1), ended(1, 1));
      script.take(received(2), failed(2, 2, { reason: 'reset' }), opened('a', 2));
      script.take(failed(2, 3, { reason: 'headersTimeout' }), received(3));
      script.take({ type: 'socket.failed', backend: 'a', socket: 3, reason: 'refused' });
    });
    const { stretches } = await lifeOfBackend(folder, 'a');
    const [period] = stretches[0]?.periods ?? [];
    assert.deepEqual(
      period?.probes.runs.map(({ ok, count, reasons }) => ({ ok, count, reasons })),
      [
        { ok: false, count: 2, reasons: { refused: 2 } },
        { ok: true, count: 2, reasons: { 'status 204': 1, 'status 200': 1 } },
      ],
    );
    assert.deepEqual(period?.leases, {
      granted: 3,
      ended: 1,
      failed: 2,
      aborted: 0,
      discarded: 0,
      unopened: 1,
      peak: 1,
    });
    assert.deepEqual(period?.failures, { 'stale-socket': 1, headersTimeout: 1, refused: 1 });
    assert.deepEqual(period?.sockets, {
      opened: 2,
      reused: 1,
      closedByBackend: 0,
      evicted: { unusable: 2 },
    });
  });

  it('counts sockets that the backend closed, and answers that say it failed', async () => {
    const folder = record(coreConfig({ backends: [backend('a')] }), (script) => {
      script.take(received(1), opened('a', 1), started(1, 1, 500), ended(1, 1, true, 500));
      script.take({ type: 'socket.closed', backend: 'a', socket: 1 });
    });
    const { stretches } = await lifeOfBackend(folder, 'a');
    const [period] = stretches[0]?.periods ?? [];
    assert.deepEqual([period?.failures, period?.sockets.closedByBackend], [{ 'status 500': 1 }, 1]);
  });

  it('keeps the last runs of probes, and how many there were before', async () => {
    const folder = record(coreConfig({ backends: [backend('a')] }), (script) => {
      for (let pair = 0; pair < 13; pair += 1) script.wait(10).take(PROBE, probeFailed('a'));
    });
    const { stretches } = await lifeOfBackend(folder, 'a');
    const { probes } = stretches[0]?.periods[0] ?? assert.fail();
    assert.deepEqual([probes.runs.length, probes.earlierRuns, probes.failed], [20, 6, 13]);
    assert.deepEqual([probes.runs[0]?.ok, probes.runs[0]?.from], [true, START + 40]);
  });

  it('has no word of a reload that changes nothing about it', async () => {
    const config = coreConfig({ backends: [backend('a'), backend('b')] });
    const other = coreConfig({ backends: [backend('a'), backend('b', 7)] });
    const folder = record(config, (script) => script.take({ type: 'config.reloaded', config: other }));
    const { stretches } = await lifeOfBackend(folder, 'a');
    assert.deepEqual(stretches[0]?.periods[0]?.notes, []);
  });

  it('has what operators did and what reloads changed about it', async () => {
    const { stretches } = await lifeOfBackend(longNight(), 'gpu-1:8000');
    const notes = stretches.flatMap(({ periods }) => periods.flatMap((period) => period.notes));
    assert.deepEqual(
      notes.map(({ seq: _seq, at: _at, ...note }) => note),
      [
        { type: 'operator', action: 'drained' },
        { type: 'operator', action: 'restored' },
        { type: 'reload', changes: ['weight 5 → 2', 'health.fall 3 → 2'] },
      ],
    );
  });

  it('ends where a reload removes it, and goes on where it returns', async () => {
    const both = coreConfig({ backends: [backend('a'), backend('b')] });
    const folder = record(both, (script) => {
      script.wait(10).take({ type: 'config.reloaded', config: coreConfig({ backends: [backend('a')] }) });
      script.wait(10).take({ type: 'config.reloaded', config: both });
    });
    const { stretches } = await lifeOfBackend(folder, 'b');
    assert.deepEqual(
      stretches[0]?.periods.map(({ state, at, until }) => [state, at - START, until === null]),
      [
        ['healthy', 0, false],
        ['draining', 10, false],
        ['removed', 10, false],
        ['healthy', 20, true],
      ],
    );
  });

  it('is empty for a backend that never was, and names those that were', async () => {
    assert.deepEqual(await lifeOfBackend(busyNight(), 'gpu-4:8000'), {
      stretches: [],
      known: ['gpu-1:8000', 'gpu-2:8000', 'gpu-3:8000'],
      similar: ['gpu-1:8000', 'gpu-2:8000', 'gpu-3:8000'],
    });
  });
});

const PROBE = { type: 'probe.succeeded', backend: 'a', status: 200, latencyMs: 1 } as const;

describe('the state at a moment', () => {
  it('has each backend, the line, and what is in flight with its age', async () => {
    const { backends, waiting, inFlight, queue, phase } = await momentOf(busyNight(), { at: START + 9876 });
    assert.deepEqual(
      backends.map(({ backend: id, state, since, pool, probes }) => [
        id,
        state,
        (since ?? 0) - START,
        `${pool.leased}/${pool.size}`,
        probes.consecutiveFailures,
      ]),
      [
        ['gpu-1:8000', 'healthy', 0, '2/2', 0],
        ['gpu-2:8000', 'healthy', 0, '2/2', 1],
        ['gpu-3:8000', 'unhealthy', 3000, '0/2', 3],
      ],
    );
    assert.deepEqual(
      waiting.map(({ requestId, queuedAt }) => [requestId, (queuedAt ?? 0) - START]),
      [
        ['id-8', 8866],
        ['id-9', 8866],
        ['id-10', 8866],
      ],
    );
    assert.deepEqual(
      inFlight.map(({ requestId, phase: where, backend: at }) => [requestId, where, at]),
      [
        ['id-4', 'sent', 'gpu-1:8000'],
        ['id-5', 'sent', 'gpu-2:8000'],
        ['id-6', 'connecting', 'gpu-1:8000'],
        ['id-7', 'sent', 'gpu-2:8000'],
      ],
    );
    assert.deepEqual([queue.max, phase], [3, 'running']);
  });

  it('is that after the entry named, or after all entries up to the time', async () => {
    const folder = busyNight();
    const byEntry = await momentOf(folder, { seq: 9 });
    assert.equal(byEntry.lastEntries.at(-1)?.seq, 9);
    const byTime = await momentOf(folder, { at: START + 3000 });
    assert.equal(byTime.lastEntries.at(-1)?.at, START + 3000);
    assert.equal(byTime.backends[2]?.state, 'unhealthy');
    assert.equal((await momentOf(folder, { at: START + 2999 })).backends[2]?.state, 'healthy');
  });

  it('has the last entries however many there were, and who is being answered', async () => {
    const folder = record(coreConfig({ backends: [backend('a')] }), (script) => {
      script.take(received(1), opened('a', 1), started(1, 1));
      for (let probe = 0; probe < 100; probe += 1) script.take(PROBE);
    });
    const { lastEntries, inFlight } = await momentOf(folder, { seq: 104 });
    assert.deepEqual(
      lastEntries.map(({ seq }) => seq),
      [95, 96, 97, 98, 99, 100, 101, 102, 103, 104],
    );
    assert.deepEqual(
      inFlight.map(({ request, phase, backend }) => [request, phase, backend]),
      [[1, 'answering', 'a']],
    );
  });

  it('has the last changes however many entries came since', async () => {
    const { lastChanges, lastEntries } = await momentOf(busyNight(), { seq: 25 });
    assert.equal(lastEntries.length, 10);
    const last = lastChanges.at(-1);
    assert.deepEqual(last && 'backend' in last ? [last.backend, last.to] : [], ['gpu-3:8000', 'unhealthy']);
  });
});
