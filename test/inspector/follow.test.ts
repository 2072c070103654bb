/** The index of a log that grows while it is read: rotated, compressed, cut at its old end. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Span } from '../../src/io/inspector/api.ts';
import { followRecording, type Reading } from '../../src/io/inspector/history/reading.ts';
import { backend, coreConfig } from '../support/core.ts';
import { type Recorded, record, temporaryFolder } from '../support/event-log.ts';
import { faultyDisk } from '../support/faulty-disk.ts';
import { asker, eventually, playAll, viewsOf } from './support.ts';

const LIMITS = { interval: 32, most: 12 };

function follow(dir: string, limits = LIMITS): Reading & Disposable {
  const ending = new AbortController();
  const reading = followRecording(dir, ending.signal, limits);
  return Object.assign(Object.create(reading), { [Symbol.dispose]: () => ending.abort() });
}

const caughtUp = (reading: Reading, seq: number) =>
  eventually(() => reading.index.last?.seq === seq, `entry ${seq} is read`);

/** Resolves when all that is recorded is read, and the file is open that is written next: it may be removed as soon as it is full. */
async function isAbreast(reading: Reading, { log, until }: Recorded, dir: string): Promise<void> {
  await until(({ seq, writtenSeq, waitingBytes }) => seq === writtenSeq && waitingBytes === 0);
  const { seq, segment } = log.stats();
  await caughtUp(reading, seq);
  const current = join(dir, segment ?? '');
  await eventually(() => reading.index.files.at(-1) === current, `${segment} is open`);
}

const serve = (times: number, recorded: { serve(): void }) => {
  for (let index = 0; index < times; index += 1) recorded.serve();
};

describe('a log that is being written', () => {
  it('is followed entry by entry, from before its first one on', async () => {
    using folder = temporaryFolder();
    using reading = follow(folder.path);
    assert.equal(reading.index.last, null);
    await using recorded = await record(folder.path);
    for (let round = 1; round <= 5; round += 1) {
      serve(10, recorded);
      await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
      const { seq } = recorded.log.stats();
      await caughtUp(reading, seq);
      assert.equal((await asker(reading).moment()).seq, seq);
    }
    const { notes } = await asker(reading).overview();
    assert.deepEqual(notes, []);
  });

  it('is followed over the ends of segments, which are compressed behind it', async () => {
    using folder = temporaryFolder();
    await using recorded = await record(folder.path, { settings: { segmentBytes: 30_000 } });
    using reading = follow(folder.path);
    for (let round = 0; round < 8; round += 1) {
      serve(60, recorded);
      await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
      await caughtUp(reading, recorded.log.stats().seq);
    }
    const packed = () => readdirSync(folder.path).filter((name) => /\.(?:zst|gz)$/.test(name));
    await eventually(() => packed().length >= 3, 'three segments are compressed');
    const { notes, last } = await asker(reading).overview();
    assert.deepEqual(notes, []);
    assert.equal(last?.seq, recorded.log.stats().seq);
    const played = await playAll(folder.path);
    const ask = asker(reading);
    for (const { entry, backends } of played.filter((_, index) => index % 11 === 0)) {
      assert.deepEqual(viewsOf(await ask.moment({ seq: entry.seq })), backends, `entry ${entry.seq}`);
    }
  });

  it('forgets what is removed at its old end, and still shows the rest', async () => {
    using folder = temporaryFolder();
    const settings = { segmentBytes: 30_000, maxBytes: 40_000 };
    await using recorded = await record(folder.path, { settings });
    using reading = follow(folder.path);
    const ask = asker(reading);
    for (let round = 0; round < 12; round += 1) {
      serve(60, recorded);
      await isAbreast(reading, recorded, folder.path);
    }
    await eventually(() => (reading.index.first?.seq ?? 0) > 100, 'the beginning is forgotten');
    const { first, last, rates, notes } = await ask.overview();
    assert.ok(first !== null && last !== null);
    assert.deepEqual(notes, []);
    assert.ok(rates.from + rates.bucketMs > first.at, 'no bucket lies before the beginning');
    const played = (await playAll(folder.path)).filter(({ entry }) => entry.seq > first.seq);
    for (const { entry, backends } of played.filter((_, index) => index % 7 === 0)) {
      const moment = await ask.moment({ seq: entry.seq });
      // More may have been removed meanwhile.
      if (moment.seq === entry.seq) assert.deepEqual(viewsOf(moment), backends, `entry ${entry.seq}`);
      else assert.ok(entry.seq < (reading.index.first?.seq ?? 0), `entry ${entry.seq} is gone`);
    }
    const nearest = await ask.moment({ seq: 1 });
    assert.equal(nearest.seq, reading.index.first?.seq, 'what is gone is shown as the nearest there is');
    const page = await ask.answer({ ask: 'entries', query: { after: 0, limit: 1 } });
    assert.deepEqual(page, { ...page, hasBefore: false });
  });

  it("is shown to its oldest entry though all that is kept is shorter than a keyframe's stretch", async () => {
    using folder = temporaryFolder();
    const settings = { segmentBytes: 30_000, maxBytes: 40_000 };
    await using recorded = await record(folder.path, { settings });
    using reading = follow(folder.path, { interval: 4096, most: 600 });
    const ask = asker(reading);
    const oldest = () =>
      Math.min(...readdirSync(folder.path).map((name) => Number(/\d{16}/.exec(name)?.[0] ?? 1e9)));
    for (let round = 0; round < 12; round += 1) {
      serve(60, recorded);
      await isAbreast(reading, recorded, folder.path);
    }
    await eventually(() => oldest() > 1000, 'the beginning is removed');
    await eventually(() => (reading.index.first?.seq ?? 0) >= oldest() - 1, 'the beginning is forgotten');
    for (const { entry, backends } of await playAll(folder.path)) {
      const moment = await ask.moment({ seq: entry.seq });
      if (moment.seq === entry.seq) assert.deepEqual(viewsOf(moment), backends, `entry ${entry.seq}`);
      else assert.ok(entry.seq < (reading.index.first?.seq ?? 0), `entry ${entry.seq} is gone`);
    }
    const { seq } = await ask.moment({ seq: recorded.log.stats().seq });
    assert.equal(seq, recorded.log.stats().seq);
    const page = await ask.answer({ ask: 'entries', query: { limit: 5 } });
    assert.match(JSON.stringify(page), new RegExp(`"seq":${recorded.log.stats().seq},`));
  });

  it('is not read beyond its last whole line', async () => {
    using folder = temporaryFolder();
    let last = 0;
    {
      await using recorded = await record(folder.path);
      serve(10, recorded);
      await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
      last = recorded.log.stats().seq;
    }
    const [name = ''] = readdirSync(folder.path).filter((file) => file.endsWith('.ndjson'));
    appendFileSync(join(folder.path, name), '{"v":1,"seq":');
    using reading = follow(folder.path);
    await caughtUp(reading, last);
    await eventually(
      () => reading.progress.bytes === reading.progress.bytesTotal,
      'it says that it has read all',
    );
    // The next start cuts it off and goes on.
    await using again = await record(folder.path);
    serve(10, again);
    await again.until(({ seq, writtenSeq }) => seq === writtenSeq);
    await caughtUp(reading, again.log.stats().seq);
    const { notes, marks, backends } = await asker(reading).overview();
    assert.deepEqual(notes, []);
    assert.deepEqual(
      marks.map(({ kind, text }) => `${kind}: ${text}`),
      [
        'started: the gateway started',
        'started: the gateway started; the run before it ended without a stop',
      ],
    );
    const spans = backends[0]?.spans.map(({ state }) => state);
    assert.deepEqual(spans, ['healthy', 'unknown', 'healthy']);
  });
});

describe('a backend that is not in the config of the next run', () => {
  const lineOf = (spans: readonly Span[] = []) => spans.map(({ state, reason }) => `${state}: ${reason}`);

  it('ends there, and is not shown as unknown for ever', async () => {
    using folder = temporaryFolder();
    {
      await using recorded = await record(folder.path);
      serve(5, recorded);
      recorded.take({ type: 'gateway.stopping' });
      recorded.take({ type: 'listener.closed' });
    }
    await using recorded = await record(folder.path, { isStarted: false });
    const config = coreConfig({ backends: [backend('a'), backend('z')] });
    const started = recorded.take({ type: 'gateway.started', version: 'test', config });
    serve(5, recorded);
    await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
    using reading = follow(folder.path);
    await caughtUp(reading, recorded.log.stats().seq);
    const { backends } = await asker(reading).overview();
    const bands = new Map(backends.map(({ backend, spans }) => [backend, spans]));
    assert.deepEqual([...bands.keys()], ['a', 'b', 'c', 'z']);
    assert.deepEqual(lineOf(bands.get('b')), [
      'healthy: configured',
      'unknown: the gateway did not run',
      'removed: not in the config any more',
    ]);
    assert.equal(bands.get('b')?.at(-1)?.seq, started.seq);
    assert.equal(bands.get('a')?.at(-1)?.state, 'healthy');
  });
});

describe('a log whose disk fails', () => {
  it('is followed over the gap, which is told and shown as unknown', async () => {
    using folder = temporaryFolder();
    const disk = faultyDisk();
    await using recorded = await record(folder.path, { files: disk.files });
    using reading = follow(folder.path);
    serve(20, recorded);
    await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
    const before = recorded.log.stats().seq;
    await caughtUp(reading, before);
    disk.break('write', 'ENOSPC');
    serve(20, recorded);
    await recorded.until(({ state }) => state === 'failed');
    disk.break('write', undefined);
    await recorded.until(({ state }) => state === 'recording');
    serve(20, recorded);
    await recorded.until(({ seq, writtenSeq }) => seq === writtenSeq);
    await caughtUp(reading, recorded.log.stats().seq);
    const { notes, marks, backends } = await asker(reading).overview();
    assert.match(notes.join(), /^[\d,]+ entries of the log are missing$/);
    const gap = marks.find(({ kind }) => kind === 'gap');
    assert.match(gap?.text ?? '', /behind a gap of \d+ entries \(ENOSPC\)/);
    const spans = backends[0]?.spans.map(({ state, seq }) => ({ state, isBehind: seq > before }));
    assert.deepEqual(spans, [
      { state: 'healthy', isBehind: false },
      { state: 'unknown', isBehind: true },
      { state: 'healthy', isBehind: true },
    ]);
    const ask = asker(reading);
    for (const { entry, backends: expected } of (await playAll(folder.path)).slice(-30)) {
      assert.deepEqual(viewsOf(await ask.moment({ seq: entry.seq })), expected, `entry ${entry.seq}`);
    }
  });
});
