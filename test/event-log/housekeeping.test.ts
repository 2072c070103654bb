/** Old segments: compressed when they are closed, removed when there are too many or they are too old. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { removeOldSegments } from '../../src/io/event-log/retention.ts';
import { segmentName } from '../../src/io/event-log/segments.ts';
import { checkLog, record, temporaryFolder } from '../support/event-log.ts';

describe('housekeeping', () => {
  it('compresses closed segments to a fraction, which replay as before', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path, { settings: { segmentBytes: 100_000 } });
    for (let count = 0; count < 1000; count += 1) recorded.serve();
    const { seq } = recorded.log.stats();
    await recorded.until(({ segment, writtenSeq }) => {
      const closed = readdirSync(folder.path).filter(
        (file) => file.startsWith('events-') && file !== segment,
      );
      return writtenSeq === seq && closed.length > 5 && closed.every((file) => file.endsWith('.zst'));
    });
    await recorded.log.close();
    const { entries } = await checkLog(folder.path);
    assert.equal(entries.length, seq);
    for (const file of readdirSync(folder.path).filter((each) => each.endsWith('.zst'))) {
      assert.ok(statSync(join(folder.path, file)).size < 25_000, file);
    }
  });

  it('keeps the log within its size while it is written', async () => {
    using folder = temporaryFolder();
    const settings = { segmentBytes: 50_000, maxBytes: 40_000 };
    const recorded = await record(folder.path, { settings });
    for (let round = 0; round < 20; round += 1) {
      for (let count = 0; count < 100; count += 1) recorded.serve();
      const { seq } = recorded.log.stats();
      await recorded.until(({ writtenSeq }) => writtenSeq === seq);
    }
    await recorded.until(
      () => readdirSync(folder.path).filter((file) => file.endsWith('.ndjson')).length === 1,
    );
    await recorded.until(({ segment }) => {
      const closed = readdirSync(folder.path).filter(
        (file) => file.startsWith('events-') && file !== segment,
      );
      // What is removed between the two calls has no size any more.
      const sizeOf = (file: string) =>
        statSync(join(folder.path, file), { throwIfNoEntry: false })?.size ?? 0;
      return closed.reduce((sum, file) => sum + sizeOf(file), 0) <= settings.maxBytes;
    });
    await recorded.log.close();
    const { segments } = await checkLog(folder.path);
    assert.ok((segments[0]?.seq ?? 0) > 1, 'the oldest is gone');
  });

  it('removes the oldest first, those that are too old as well, and never the one being written', async () => {
    using folder = temporaryFolder();
    const names = [1, 100, 200, 300].map(segmentName);
    const write = () => {
      for (const name of names) writeFileSync(join(folder.path, name), Buffer.alloc(1000));
    };
    const current = segmentName(300);
    write();
    assert.deepEqual(
      await removeOldSegments(folder.path, current, { maxBytes: 2500, maxAgeMs: 1e9 }),
      names.slice(0, 2),
    );
    write();
    const old = new Date(Date.now() - 100_000);
    for (const name of names.slice(0, 1)) utimesSync(join(folder.path, name), old, old);
    assert.deepEqual(
      await removeOldSegments(folder.path, current, { maxBytes: 1e9, maxAgeMs: 50_000 }),
      names.slice(0, 1),
    );
    for (const name of names) writeFileSync(join(folder.path, name), Buffer.alloc(1000));
    assert.deepEqual(
      await removeOldSegments(folder.path, current, { maxBytes: 1, maxAgeMs: 1 }),
      names.slice(0, 3),
    );
    assert.equal(readFileSync(join(folder.path, current)).length, 1000);
  });
});
