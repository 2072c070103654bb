/** When backends are asked for their health, on a clock that stands still until it is told to go on. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Subject } from 'rxjs';
import type { BackendSettings, Entry, Fact } from '../../src/actors/events.ts';
import type { ProbeResult } from '../../src/streams/ports.ts';
import { probeFacts } from '../../src/streams/probes.ts';
import { backend } from '../support/core.ts';
import { entryOf, heard, reloadedWith, startedWith, stopClock } from './support.ts';

const INTERVAL_MS = 1_000;
const WELL: ProbeResult = { ok: true, status: 200, latencyMs: 3 };
const [a, b] = [backend('a'), backend('b')];

type Options = { random?: () => number; hanging?: readonly string[] };
type Asked = { readonly id: string; readonly at: number };

/**
 * Probing as the daemon does it. Every probe is noted with its time; it is answered at once, unless the backend
 * is among those that hang, whose probes are answered by hand.
 */
function probing(t: TestContext, { random = () => 0.5, hanging = [] }: Options = {}) {
  const clock = stopClock(t);
  const entries$ = new Subject<Entry>();
  const settings = { probeIntervalMs: INTERVAL_MS, sweepIntervalMs: 60_000 };
  const asked: Asked[] = [];
  const facts: Fact[] = [];
  const open: { target: BackendSettings; answer(result: ProbeResult): void }[] = [];
  const port = {
    probe(target: BackendSettings): Promise<ProbeResult> {
      asked.push({ id: target.id, at: Date.now() });
      if (!hanging.includes(target.id)) return Promise.resolve(WELL);
      const { promise, resolve } = Promise.withResolvers<ProbeResult>();
      open.push({ target, answer: resolve });
      return promise;
    },
  };
  const running = probeFacts(entries$, { port, settings: () => settings, random }).subscribe((fact) =>
    facts.push(fact),
  );
  t.after(() => running.unsubscribe());
  return {
    settings,
    facts,
    open,
    running,
    pass: clock.pass,
    entry(entry: Entry) {
      entries$.next(entry);
      return heard();
    },
    /** When a backend was asked, in milliseconds since the clock was stopped. */
    timesOf: (id: string) => asked.filter((each) => each.id === id).map(({ at }) => at),
  };
}

describe('probes', () => {
  it('ask every backend at once, then at each interval', async (t) => {
    const { entry, pass, timesOf } = probing(t);
    await entry(startedWith([a, b]));
    assert.deepEqual([timesOf('a'), timesOf('b')], [[0], [0]]);
    await pass(INTERVAL_MS - 1);
    assert.deepEqual(timesOf('a'), [0]);
    await pass(1);
    await pass(INTERVAL_MS);
    assert.deepEqual(
      [timesOf('a'), timesOf('b')],
      [
        [0, 1_000, 2_000],
        [0, 1_000, 2_000],
      ],
    );
  });

  it('tell the core what came of them', async (t) => {
    const { entry, open, facts } = probing(t, { hanging: ['b'] });
    await entry(startedWith([a, b]));
    open[0]?.answer({ ok: false, reason: 'status 503', latencyMs: 7 });
    await heard();
    assert.deepEqual(facts, [
      { type: 'probe.succeeded', backend: 'a', status: 200, latencyMs: 3 },
      { type: 'probe.failed', backend: 'b', reason: 'status 503', latencyMs: 7 },
    ]);
  });

  it('that the gateway could not even make tell the core nothing', async (t) => {
    const { entry, open, facts, pass, timesOf } = probing(t, { hanging: ['a'] });
    await entry(startedWith([a]));
    open[0]?.answer({ ok: false, reason: 'exhausted', latencyMs: 0 });
    await heard();
    assert.deepEqual(facts, []);
    await pass(INTERVAL_MS);
    assert.deepEqual(timesOf('a'), [0, 1_000]);
  });

  it('come up to a tenth of the interval early or late, drawn anew for each', async (t) => {
    const draws = [0, 0.5, 0.75, 1 - Number.EPSILON];
    let next = 0;
    const { entry, pass, timesOf } = probing(t, { random: () => draws[next++ % draws.length] ?? 0 });
    await entry(startedWith([a]));
    for (let ms = 0; ms < 4_100; ms += 10) await pass(10);
    assert.deepEqual(timesOf('a'), [0, 900, 1_900, 2_950, 4_050]);
  });

  it('of two backends do not stay in step', async (t) => {
    const draws = [0.1, 0.9];
    let next = 0;
    const { entry, pass, timesOf } = probing(t, { random: () => draws[next++ % 2] ?? 0 });
    await entry(startedWith([a, b]));
    for (let ms = 0; ms < 1_200; ms += 10) await pass(10);
    assert.deepEqual([timesOf('a')[1], timesOf('b')[1]], [920, 1_080]);
  });

  it('of a backend wait for the one before, however long it hangs, and go on after it', async (t) => {
    const { entry, pass, open, timesOf } = probing(t, { hanging: ['a'] });
    await entry(startedWith([a, b]));
    for (let tick = 0; tick < 5; tick += 1) await pass(INTERVAL_MS);
    assert.deepEqual(timesOf('a'), [0]);
    assert.equal(timesOf('b').length, 6, 'a backend that hangs must not hold up the others');
    open[0]?.answer(WELL);
    await heard();
    await pass(INTERVAL_MS);
    assert.deepEqual(timesOf('a'), [0, 6_000]);
  });

  it('take a new interval at the next tick', async (t) => {
    const { entry, pass, settings, timesOf } = probing(t);
    await entry(startedWith([a]));
    settings.probeIntervalMs = 100;
    for (let ms = 0; ms < 1_250; ms += 50) await pass(50);
    assert.deepEqual(timesOf('a'), [0, 1_000, 1_100, 1_200]);
  });

  it('end with their subscription', async (t) => {
    const { entry, pass, running, open, facts, timesOf } = probing(t, { hanging: ['b'] });
    await entry(startedWith([a, b]));
    running.unsubscribe();
    open[0]?.answer(WELL);
    await pass(5 * INTERVAL_MS);
    assert.deepEqual(timesOf('a'), [0]);
    assert.equal(facts.length, 1);
  });
});

describe('a reload', () => {
  it('has a new backend probed at once and leaves the beat of the others as it is', async (t) => {
    const { entry, pass, timesOf } = probing(t);
    await entry(startedWith([a]));
    await pass(600);
    await entry(reloadedWith([backend('a', 7), b]));
    await pass(400);
    assert.deepEqual([timesOf('a'), timesOf('b')], [[0, 1_000], [600]]);
  });

  it('that removes one backend does not stop the probes of the others', async (t) => {
    const { entry, pass, timesOf } = probing(t);
    await entry(startedWith([a, b]));
    await pass(600);
    await entry(reloadedWith([b]));
    await pass(400);
    assert.deepEqual([timesOf('a'), timesOf('b')], [[0], [0, 1_000]]);
  });

  it('that removes a backend drops the result of its probe', async (t) => {
    const { entry, open, facts } = probing(t, { hanging: ['a'] });
    await entry(startedWith([a]));
    await entry(reloadedWith([]));
    open[0]?.answer(WELL);
    await heard();
    assert.deepEqual(facts, []);
  });

  it('that moves a backend drops the result from its old address and asks the new one at once', async (t) => {
    const { entry, pass, open, facts, timesOf } = probing(t, { hanging: ['a'] });
    await entry(startedWith([a]));
    await pass(100);
    await entry(reloadedWith([{ ...a, port: 9_999 }]));
    assert.deepEqual(timesOf('a'), [0, 100]);
    assert.deepEqual(
      open.map(({ target }) => target.port),
      [8_000, 9_999],
    );
    open[0]?.answer({ ok: false, reason: 'refused', latencyMs: 1 });
    open[1]?.answer(WELL);
    await heard();
    assert.deepEqual(facts, [{ type: 'probe.succeeded', backend: 'a', status: 200, latencyMs: 3 }]);
  });

  it('that brings a backend back has it probed at once', async (t) => {
    const { entry, pass, timesOf } = probing(t);
    await entry(startedWith([a]));
    await entry(reloadedWith([]));
    await pass(250);
    await entry(reloadedWith([a]));
    await pass(INTERVAL_MS);
    assert.deepEqual(timesOf('a'), [0, 250, 1_250]);
  });

  it('that is refused changes no beat', async (t) => {
    const { entry, pass, timesOf } = probing(t);
    await entry(startedWith([a]));
    await pass(600);
    await entry(entryOf({ type: 'config.rejected', problems: 1 }));
    await pass(400);
    assert.deepEqual(timesOf('a'), [0, 1_000]);
  });
});
