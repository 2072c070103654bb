/** Time on the inspector's page: what the timeline shows, its ticks, playback, and how times read. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLatest } from '../../src/io/inspector/page/model/latest.ts';
import {
  advanced,
  createGatewayClock,
  otherSpeed,
  SPEEDS,
} from '../../src/io/inspector/page/model/playback.ts';
import { ticksOf } from '../../src/io/inspector/page/model/ticks.ts';
import {
  atOf,
  panned,
  showing,
  WHOLE,
  windowOf,
  xOf,
  zoomed,
} from '../../src/io/inspector/page/model/time-window.ts';
import {
  bytes,
  counted,
  duration,
  endOfPath,
  grouped,
  rate,
  shorten,
} from '../../src/io/inspector/page/model/words.ts';

const HOUR = { from: 0, until: 3_600_000 };

describe('the window of the timeline', () => {
  it('is the whole log unless a part is asked for', () => {
    assert.deepEqual(windowOf(WHOLE, HOUR), HOUR);
  });

  it('stays within the log, and is never empty', () => {
    const time = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(time, time, fc.option(time), fc.option(time), (one, other, spanMs, until) => {
        const bounds = { from: Math.min(one, other), until: Math.max(one, other) };
        const shown = windowOf({ spanMs, until }, bounds);
        assert.ok(shown.until > shown.from, 'it is not empty');
        assert.ok(shown.from >= bounds.from, 'it begins within the log');
        assert.ok(shown.until <= Math.max(bounds.until, bounds.from + 20), 'it ends within the log');
      }),
    );
  });

  it('keeps to the end of a log that grows', () => {
    const view = { spanMs: 1000, until: null };
    assert.deepEqual(windowOf(view, HOUR), { from: 3_599_000, until: 3_600_000 });
    assert.deepEqual(windowOf(view, { from: 0, until: 3_700_000 }), { from: 3_699_000, until: 3_700_000 });
  });

  it('leaves the time under the pointer where it is when it is zoomed', () => {
    const shown = { from: 1_000_000, until: 2_000_000 };
    const view = zoomed(shown, HOUR, 0.5, 1_250_000);
    const next = windowOf(view, HOUR);
    assert.equal(next.until - next.from, 500_000);
    assert.equal(xOf(1_250_000, next, 800), xOf(1_250_000, shown, 800));
  });

  it('is the whole again when it is zoomed out far enough', () => {
    assert.deepEqual(zoomed({ from: 0, until: 3_000_000 }, HOUR, 2, 0), WHOLE);
  });

  it('stops at either end when it is panned, and sticks to the last', () => {
    const shown = { from: 100_000, until: 200_000 };
    assert.deepEqual(windowOf(panned(shown, HOUR, -5), HOUR), { from: 0, until: 100_000 });
    assert.deepEqual(panned(shown, HOUR, 100), { spanMs: 100_000, until: null });
  });

  it('moves only when the time to be shown is out of sight', () => {
    const view = { spanMs: 100_000, until: 200_000 };
    assert.equal(showing(view, HOUR, 150_000), view);
    const later = windowOf(showing(view, HOUR, 900_000), HOUR);
    assert.ok(later.from < 900_000 && later.until > 900_000);
  });

  it('turns times into pixels and back', () => {
    assert.equal(xOf(1_800_000, HOUR, 500), 250);
    assert.equal(atOf(250, HOUR, 500), 1_800_000);
    assert.equal(atOf(-20, HOUR, 500), 0);
    assert.equal(atOf(900, HOUR, 500), 3_600_000);
  });
});

describe('ticks', () => {
  it('stand at round times, and are no more than there is room for', () => {
    for (const spanMs of [50, 900, 5_000, 61_000, 3_600_000, 90_000_000, 9_000_000_000]) {
      const from = Date.UTC(2026, 0, 15, 3, 12, 7, 115);
      const ticks = ticksOf({ from, until: from + spanMs }, 10);
      assert.ok(ticks.length >= 2 && ticks.length <= 11, `${ticks.length} ticks in ${spanMs} ms`);
      const [first, second] = ticks;
      const step = (second?.at ?? 0) - (first?.at ?? 0);
      assert.ok(step >= spanMs / 10);
    }
  });

  it('tell what differs from one to the next', () => {
    const from = new Date(2026, 0, 15, 3, 12).getTime();
    assert.deepEqual(
      ticksOf({ from, until: from + 30_000 }, 3).map(({ label }) => label),
      ['03:12:00', '03:12:10', '03:12:20', '03:12:30'],
    );
    assert.equal(ticksOf({ from, until: from + 3_600_000 }, 4)[1]?.label, '03:30');
  });
});

describe('playback', () => {
  it('runs as fast as it is told and ends at the end', () => {
    assert.deepEqual(advanced(1000, 50, 100, 10_000), { at: 6000, isAtEnd: false });
    assert.deepEqual(advanced(1000, 50, 0.1, 10_000), { at: 1005, isAtEnd: false });
    assert.deepEqual(advanced(9_990, 50, 1, 10_000), { at: 10_000, isAtEnd: true });
  });

  it('has speeds from a tenth to a hundred times', () => {
    assert.equal(SPEEDS.at(0), 0.1);
    assert.equal(SPEEDS.at(-1), 100);
    assert.equal(otherSpeed(1, 1), 2);
    assert.equal(otherSpeed(1, -1), 0.5);
    assert.equal(otherSpeed(100, 1), 100);
    assert.equal(otherSpeed(0.1, -1), 0.1);
  });
});

describe('the clock of the gateway', () => {
  it('is not known before something was heard, and never steps back', () => {
    const clock = createGatewayClock();
    assert.equal(clock.now(0), undefined);
    clock.hear(50_000, 1_000);
    assert.equal(clock.now(1_500), 50_500);
    clock.hear(50_200, 1_500);
    assert.equal(clock.now(1_500), 50_500);
    clock.hear(52_000, 2_000);
    assert.equal(clock.now(2_000), 52_000);
  });
});

describe('questions to the server', () => {
  it('are asked one at a time, and of those that wait only the last', async () => {
    const asked: number[] = [];
    const answers: (() => void)[] = [];
    const ask = createLatest<number>(async (question) => {
      asked.push(question);
      await new Promise<void>((answer) => answers.push(answer));
    });
    for (const question of [1, 2, 3, 4]) ask(question);
    assert.deepEqual(asked, [1]);
    answers[0]?.();
    await new Promise(setImmediate);
    assert.deepEqual(asked, [1, 4]);
    answers[1]?.();
    await new Promise(setImmediate);
    assert.deepEqual(asked, [1, 4]);
  });
});

describe('words', () => {
  it('tell durations, counts and sizes', () => {
    assert.deepEqual([-3, 842, 1_840, 41_900, 182_000, 7_500_000, 273_600_000].map(duration), [
      '0 ms',
      '842 ms',
      '1.8 s',
      '41 s',
      '3 min 2 s',
      '2 h 5 min',
      '3 d 4 h',
    ]);
    assert.deepEqual([0, 999, 1_000, 1_234_567].map(grouped), ['0', '999', '1,000', '1,234,567']);
    assert.deepEqual([812, 3_400, 64_000_000].map(bytes), ['812 B', '3.4 KB', '64 MB']);
    assert.deepEqual([0, 0.44, 12.4, 1_840].map(rate), ['0', '0.4', '12', '1,840']);
    assert.equal(counted(1, 'entry', 'entries'), '1 entry');
    assert.equal(counted(2, 'entry', 'entries'), '2 entries');
  });

  it('tell a path by its end', () => {
    assert.equal(endOfPath('/var/lib/reprise/data/events'), '…/data/events');
    assert.equal(endOfPath('data/events'), 'data/events');
  });

  it('shorten an id in its middle', () => {
    assert.equal(shorten('llama-large', 20), 'llama-large');
    assert.equal(shorten('gpu-node-17.internal:8000', 15), 'gpu-nod…al:8000');
  });
});
