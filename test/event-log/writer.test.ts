/** What is written, in which order, and how a log goes on after a restart. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { coreConfig, received } from '../support/core.ts';
import { checkLog, record, temporaryFolder } from '../support/event-log.ts';

describe('the event log', () => {
  it('holds a header, the empty state and every entry, and replays', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path);
    for (let count = 0; count < 200; count += 1) recorded.serve();
    await recorded.log.close();
    const { entries, segments, gaps } = await checkLog(folder.path);
    assert.deepEqual(
      segments.map(({ reason, seq, product, previous, config }) => ({
        reason,
        seq,
        product,
        previous,
        config,
      })),
      [{ reason: 'started', seq: 1, product: 'test', previous: null, config: { of: 'the test' } }],
    );
    assert.equal(entries.length, recorded.log.stats().seq);
    assert.ok(entries.length > 600);
    assert.deepEqual(gaps, []);
  });

  it('can be read with what is at hand: one JSON object a line, an entry beginning with its number', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path);
    recorded.serve();
    await recorded.log.close();
    const lines = readFileSync(join(folder.path, 'events-0000000000000001.ndjson'), 'utf8').split('\n');
    assert.match(
      lines[2] ?? '',
      /^\{"v":1,"seq":1,"at":\d+,"fact":\{"type":"gateway.started".*,"n":3,"crc":\d+\}$/,
    );
    for (const line of lines.slice(0, -1)) assert.equal(typeof JSON.parse(line), 'object');
  });

  it('is written a moment after an entry, and forced to the disk a little later', async () => {
    using folder = temporaryFolder();
    await using recorded = await record(folder.path);
    recorded.serve();
    const { seq } = recorded.log.stats();
    await recorded.until(({ writtenSeq }) => writtenSeq === seq);
    await recorded.until(({ syncedSeq }) => syncedSeq === seq);
    assert.deepEqual((await checkLog(folder.path)).entries.at(-1)?.seq, seq);
  });

  it('is forced to the disk at once when a backend changes, whatever the interval', async () => {
    using folder = temporaryFolder();
    await using recorded = await record(folder.path, { settings: { syncIntervalMs: 3_600_000 } });
    const { seq } = recorded.take({ type: 'operator.drained', backend: 'a' });
    await recorded.until(({ syncedSeq }) => syncedSeq >= seq);
  });

  it('begins a segment at the size that is set, each with its header, its state and the hash of the last', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path, { settings: { segmentBytes: 20_000 } });
    for (let count = 0; count < 1000; count += 1) recorded.serve();
    await recorded.log.close();
    const { segments, entries } = await checkLog(folder.path);
    assert.ok(segments.length > 20, `${segments.length} segments`);
    assert.ok(segments.slice(1).every(({ reason, previous }) => reason === 'rotated' && previous !== null));
    assert.equal(entries.length, recorded.log.stats().seq);
  });

  it('goes on when its snapshot is larger than a segment, where it began the same segment twice and failed', async () => {
    using folder = temporaryFolder();
    const segmentBytes = 40_000;
    const recorded = await record(folder.path, { settings: { segmentBytes } });
    for (let request = 1; request <= 800; request += 1) {
      recorded.take(received(request));
      if (request % 20 === 0) {
        await recorded.until(({ syncedSeq, seq, state }) => syncedSeq === seq || state === 'failed');
      }
    }
    const { state, dropped, seq } = recorded.log.stats();
    await recorded.log.close();
    assert.deepEqual([state, dropped], ['recording', 0]);
    const { entries, segments } = await checkLog(folder.path);
    assert.equal(entries.length, seq);
    const bytes = entries.reduce((sum, entry) => sum + JSON.stringify(entry).length, 0);
    const last = readFileSync(join(folder.path, readdirSync(folder.path).sort().at(-1) ?? ''), 'utf8');
    assert.ok((last.split('\n')[1] ?? '').length > segmentBytes, 'the snapshot is larger than a segment');
    assert.ok(segments.length <= 1 + bytes / segmentBytes, `${segments.length} segments for ${bytes} bytes`);
  });

  it('carries a checkpoint each so many entries, and after each reload', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path, { settings: { checkpointEntries: 100 } });
    while (recorded.log.stats().seq < 1000) recorded.serve();
    await recorded.log.close();
    assert.equal((await checkLog(folder.path)).checkpoints, 10);

    using another = temporaryFolder();
    const reloaded = await record(another.path);
    for (let count = 0; count < 3; count += 1) {
      reloaded.take({ type: 'config.reloaded', config: coreConfig({ health: { fall: count + 1 } }) });
    }
    await reloaded.log.close();
    assert.equal((await checkLog(another.path)).checkpoints, 3);
  });

  it('goes on with the next number after a restart, in a segment of its own', async () => {
    using folder = temporaryFolder();
    let last = 0;
    for (let run = 0; run < 4; run += 1) {
      const recorded = await record(folder.path);
      assert.equal(recorded.log.firstSeq, last + 1);
      for (let count = 0; count < 5; count += 1) recorded.serve();
      last = recorded.log.stats().seq;
      await recorded.log.close();
    }
    const { entries, segments } = await checkLog(folder.path);
    assert.equal(entries.length, last);
    assert.deepEqual(
      segments.map(({ reason }) => reason),
      ['started', 'started', 'started', 'started'],
    );
  });

  it('writes nothing at all if nothing happens', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path, { isStarted: false });
    await recorded.log.close();
    assert.deepEqual(readdirSync(folder.path), []);
  });
});
