/** What the index keeps and sends is bounded, and says the same as what it stands for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, Fact } from '../../src/actors/events.ts';
import { BandTable } from '../../src/io/inspector/history/bands.ts';
import { Keyframes } from '../../src/io/inspector/history/keyframes.ts';
import { MarkTable } from '../../src/io/inspector/history/marks.ts';
import { RateTable } from '../../src/io/inspector/history/rates.ts';
import type { Recent } from '../../src/io/inspector/history/recent.ts';

const entryAt = (seq: number, at: number, backend?: string): Entry => {
  const fact: Fact = { type: 'timer.fired', timer: 'sweep' };
  const picked = backend === undefined ? [] : [{ type: 'backend.selected', request: seq, backend } as const];
  return { v: 1, seq, at, fact, decisions: picked };
};

const sum = (counts: readonly number[]) => counts.reduce((total, each) => total + each, 0);

describe('rates', () => {
  it('stay within their bounds over any time, and lose no request', () => {
    const rates = new RateTable();
    const start = 1_795_000_000_123;
    const steps = 20_000;
    for (let step = 0; step < steps; step += 1) {
      rates.note(entryAt(step, start + step * step * 7, step % 3 === 0 ? 'b' : 'a'), step === 777 ? 42 : 0);
    }
    for (const most of [1, 10, 1000]) {
      const { placed, waiting, bucketMs, from } = rates.report(most);
      assert.ok(waiting.length <= most + 1, `${waiting.length} of ${most}`);
      assert.equal(sum(placed.a ?? []) + sum(placed.b ?? []), steps);
      assert.equal(Math.max(...waiting), 42);
      const bucket = Math.floor((start + 777 * 777 * 7 - from) / bucketMs);
      assert.equal(waiting[bucket], 42, 'in its bucket');
      assert.ok(from <= start && start < from + bucketMs, 'from the beginning on');
    }
  });

  it('count each request into the bucket of its time', () => {
    const rates = new RateTable();
    const start = 1_795_000_000_000;
    for (let step = 0; step < 600; step += 1) rates.note(entryAt(step, start + step * 50, 'a'), 0);
    const { placed, bucketMs } = rates.report(300);
    assert.equal(bucketMs, 100);
    assert.deepEqual(placed.a, new Array(300).fill(2));
  });

  it('of a part are as fine as it allows, and do not shift while it moves', () => {
    const rates = new RateTable();
    const start = 1_795_000_000_000;
    for (let step = 0; step < 6000; step += 1) rates.note(entryAt(step, start + step * 100, 'a'), 0);
    assert.equal(rates.report(100).bucketMs, 6_000);
    const shown = { from: start + 300_050, until: start + 360_050 };
    const { placed, from, bucketMs } = rates.report(100, shown);
    assert.equal(bucketMs, 700);
    assert.ok(from <= shown.from && shown.from < from + bucketMs);
    assert.ok(from + (placed.a?.length ?? 0) * bucketMs >= shown.until);
    assert.ok(placed.a?.every((count) => count === 7));
    const moved = rates.report(100, { from: shown.from + 1_000, until: shown.until + 1_000 });
    assert.equal((moved.from - from) % bucketMs, 0);
    assert.deepEqual(rates.report(100, { from: start + 999_999_999 }).placed.a, []);
  });

  it('forget whole buckets', () => {
    const rates = new RateTable();
    for (let step = 0; step < 100; step += 1)
      rates.note(entryAt(step, step * 100, step < 50 ? 'old' : 'new'), 0);
    rates.forgetBefore(5_050);
    const { placed, from } = rates.report(1000);
    assert.equal(from, 5_000);
    assert.deepEqual([Object.keys(placed), sum(placed.new ?? [])], [['new'], 50]);
  });
});

describe('marks', () => {
  it('are sent the rarest kinds first, and a bounded number in all', () => {
    const marks = new MarkTable();
    for (let seq = 0; seq < 100_000; seq += 1) marks.add('fell', { seq, at: seq }, 'fell', 'a');
    for (let seq = 0; seq < 100; seq += 1) marks.add('reloaded', { seq: seq * 1000, at: seq }, 'reloaded');
    const sent = marks.report();
    assert.ok(sent.length <= 3000, `${sent.length} sent`);
    assert.equal(sent.filter(({ kind }) => kind === 'reloaded').length, 100);
    const fell = sent.filter(({ kind }) => kind === 'fell').map(({ seq }) => seq);
    assert.ok(
      fell.length > 2000 && (fell[0] ?? 0) < 1000 && (fell.at(-1) ?? 0) > 90_000,
      'spread over the log',
    );
    assert.deepEqual(
      sent,
      [...sent].sort((one, other) => one.seq - other.seq),
    );
  });
});

describe('bands', () => {
  const flapping = (changes: number) => {
    const bands = new BandTable();
    for (let seq = 0; seq < changes; seq += 1) {
      const state = seq % 2 === 0 ? 'healthy' : 'unhealthy';
      bands.change('a', { seq, at: seq * 10 }, state, `change ${seq}`);
    }
    return bands;
  };

  it('of a backend that flaps for ever are bounded, whole, and show that it was unhealthy', () => {
    const changes = 100_000;
    const [band] = flapping(changes).report(changes * 10);
    const spans = band?.spans ?? [];
    assert.ok(spans.length > 100 && spans.length <= 4000, `${spans.length} spans`);
    assert.equal(spans[0]?.from, 0);
    assert.equal(spans.at(-1)?.until, changes * 10);
    for (const [index, span] of spans.entries()) {
      const next = spans[index + 1];
      if (next !== undefined) assert.equal(span.until, next.from, 'one begins where the other ends');
      assert.ok(span.until >= span.from);
    }
    assert.equal(spans.at(-1)?.state, 'unhealthy', 'the last state is the last state');
  });

  it('of a backend of which nothing is known any more are forgotten in the end', () => {
    const bands = new BandTable();
    bands.change('old', { seq: 1, at: 1 }, 'healthy', 'configured');
    bands.interrupt({ seq: 5, at: 5 }, 'the gateway did not run');
    bands.change('new', { seq: 6, at: 100 }, 'healthy', 'configured');
    bands.forgetBefore({ seq: 3, at: 3 });
    assert.deepEqual(
      bands.report(2000).map(({ backend }) => backend),
      ['old', 'new'],
    );
    bands.forgetBefore({ seq: 5000, at: 1000 });
    assert.deepEqual(
      bands.report(2000).map(({ backend }) => backend),
      ['new'],
    );
  });

  it('are told change by change while there is room', () => {
    const [band] = flapping(1000).report(10_000);
    assert.equal(band?.spans.length, 1000);
    assert.deepEqual(flapping(1000).changeNear(500, 'after'), { seq: 501, at: 5010 });
    assert.deepEqual(flapping(1000).changeNear(500, 'before'), { seq: 499, at: 4990 });
    assert.equal(flapping(1000).changeNear(999, 'after'), null);
  });
});

describe('keyframes', () => {
  const recent: Recent = {
    picks: [],
    since: new Map(),
    transitions: new Map(),
    changes: new Map(),
    slots: [],
    config: {
      backends: [],
      health: { fall: 1, rise: 1, initial: 'healthy' },
      pool: { size: 1, idleTimeoutMs: 1, queue: { max: 0, timeoutMs: 1 } },
      retry: { attempts: 0, on: [] },
    },
  };

  const fill = (keyframes: Keyframes, entries: number) => {
    const add = (seq: number, state: string | undefined) =>
      keyframes.add({
        ...{ seq, at: seq, spot: { path: 'x', byte: seq }, state, recent },
        ...{ last: { seq, at: seq }, trusted: seq, entries: 0 },
      });
    add(0, undefined);
    for (let seq = 1; seq <= entries; seq += 1) {
      if (keyframes.isDue) add(seq - 1, 'x'.repeat(100));
      const { last } = keyframes;
      assert.ok(last !== undefined);
      last.entries += 1;
      last.last = { seq, at: seq };
    }
  };

  const assertWhole = (keyframes: Keyframes, entries: number, longest: number) => {
    for (const [index, keyframe] of keyframes.all.entries()) {
      assert.equal(
        keyframe.last.seq,
        keyframes.all[index + 1]?.seq ?? entries,
        'no entry between two stretches',
      );
      assert.ok(keyframe.entries <= longest, `a stretch of ${keyframe.entries}`);
    }
  };

  it('stay within their number, at even distances', () => {
    const keyframes = new Keyframes({ interval: 10, most: 50 });
    fill(keyframes, 100_000);
    assert.ok(keyframes.all.length > 20 && keyframes.all.length <= 51, `${keyframes.all.length} keyframes`);
    assertWhole(keyframes, 100_000, 100_000 / 10);
  });

  it('stay within their memory', () => {
    const keyframes = new Keyframes({ interval: 10, mostBytes: 2_000 });
    fill(keyframes, 10_000);
    assert.ok(keyframes.all.length > 5 && keyframes.all.length <= 21, `${keyframes.all.length} keyframes`);
    assertWhole(keyframes, 10_000, 10_000);
  });
});
