/** Disks that are full, broken, slow or hanging: entries are lost and counted, and recording goes on when it can. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { watchMoment } from '../../src/actors/explain/moment-watch.ts';
import { playLog } from '../../src/io/explain/play.ts';
import { stretchWords } from '../../src/io/explain/stretch-words.ts';
import { checkLog, heardLogger, type Recorded, record, temporaryFolder } from '../support/event-log.ts';
import { faultyDisk } from '../support/faulty-disk.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { readAll } from '../support/recorded-log.ts';

const FIRST = 'events-0000000000000001.ndjson';

/** Serves until the log says of itself what is asked for. */
async function serveUntil(recorded: Recorded, fits: Parameters<Recorded['until']>[0]): Promise<void> {
  await recorded.until((stats) => {
    recorded.serve();
    return fits(stats);
  });
}

describe('a disk that fails', () => {
  for (const code of ['ENOSPC', 'EIO']) {
    it(`with ${code} costs entries, which are counted and marked, until it works again`, async () => {
      using folder = temporaryFolder();
      const disk = faultyDisk();
      const { logger, lines } = heardLogger();
      const recorded = await record(folder.path, { files: disk.files, logger });
      await serveUntil(recorded, ({ writtenSeq }) => writtenSeq > 20);
      disk.break('write', code);
      await serveUntil(recorded, ({ state, dropped }) => state === 'failed' && dropped > 50);
      assert.equal(recorded.log.stats().reason, code);
      disk.break('write', undefined);
      await recorded.until(({ state }) => state === 'recording');
      await serveUntil(recorded, ({ writtenSeq, seq }) => writtenSeq > seq - 50);
      const { dropped, gaps, seq } = recorded.log.stats();
      await recorded.log.close();
      const found = await checkLog(folder.path);
      assert.deepEqual(
        found.segments.map(({ reason }) => reason),
        ['started', 'recovered'],
      );
      assert.equal(found.gaps.length, 1);
      assert.equal(found.gaps[0]?.reason, code);
      assert.deepEqual([dropped, gaps], [found.gaps[0]?.dropped, 1]);
      assert.equal(found.entries.length + dropped, seq);
      assert.equal(lines.filter((line) => line.includes('cannot be written')).length, 1);
      assert.equal(lines.filter((line) => line.includes('is written again')).length, 1);
    });
  }

  for (const bytes of [1, 100, 333, 5000]) {
    it(`after ${bytes} bytes of a batch keeps the whole lines of them and cuts the rest off`, async () => {
      using folder = temporaryFolder();
      const disk = faultyDisk();
      const recorded = await record(folder.path, { files: disk.files });
      await serveUntil(recorded, ({ writtenSeq }) => writtenSeq > 20);
      // However slow the disk is, nothing waits before what it takes a part of.
      await recorded.until(({ writtenSeq, seq }) => writtenSeq === seq);
      disk.takeBytes = bytes;
      disk.break('write', 'ENOSPC');
      for (let count = 0; count < 20; count += 1) recorded.serve();
      await recorded.until(({ state, segment }) => state === 'failed' && segment === null);
      disk.break('write', undefined);
      await recorded.until(({ state }) => state === 'recording');
      const { dropped, seq } = recorded.log.stats();
      await recorded.log.close();
      const { entries, gaps } = await checkLog(folder.path);
      assert.equal(entries.length + dropped, seq);
      assert.equal(gaps[0]?.dropped, dropped);
      if (bytes === 5000) assert.ok(dropped < 60, `${dropped} dropped`);
    });
  }

  it('that takes a few bytes at a time still gets every line whole', async () => {
    using folder = temporaryFolder();
    const disk = faultyDisk();
    disk.takeBytes = 7;
    const recorded = await record(folder.path, { files: disk.files });
    for (let count = 0; count < 20; count += 1) recorded.serve();
    await recorded.until(({ writtenSeq, seq }) => writtenSeq === seq);
    await recorded.log.close();
    assert.equal((await checkLog(folder.path)).entries.length, recorded.log.stats().seq);
  });

  it('to confirm is not believed: what it has not confirmed is cut off and counted', async () => {
    using folder = temporaryFolder();
    const disk = faultyDisk();
    const recorded = await record(folder.path, {
      files: disk.files,
      settings: { syncIntervalMs: 3_600_000 },
    });
    const { seq: confirmed } = recorded.take({ type: 'operator.drained', backend: 'c' });
    await recorded.until(({ syncedSeq }) => syncedSeq === confirmed);
    disk.break('sync', 'EIO');
    for (let count = 0; count < 10; count += 1) recorded.serve();
    recorded.take({ type: 'operator.restored', backend: 'c' });
    await recorded.until(({ state }) => state === 'failed');
    disk.break('sync', undefined);
    await recorded.until(({ state }) => state === 'recording');
    const { dropped, seq } = recorded.log.stats();
    await recorded.log.close();
    const { gaps } = await checkLog(folder.path);
    assert.deepEqual(
      gaps.map(({ after }) => after),
      [confirmed],
    );
    assert.equal(dropped, seq - confirmed);
  });

  for (const operation of ['create', 'truncate', 'remove', 'syncFolder'] as const) {
    it(`so that also ${operation} fails is tried again until that works as well`, async () => {
      using folder = temporaryFolder();
      const disk = faultyDisk();
      const recorded = await record(folder.path, { files: disk.files });
      await serveUntil(recorded, ({ writtenSeq }) => writtenSeq > 20);
      disk.takeBytes = 500;
      disk.break('write', 'EIO');
      disk.break(operation, 'EIO');
      await serveUntil(recorded, ({ state }) => state === 'failed' && disk.failures >= 5);
      disk.break('write', undefined);
      const { failures } = disk;
      if (operation !== 'remove') {
        await serveUntil(recorded, () => disk.failures >= failures + 2);
        assert.equal(recorded.log.stats().state, 'failed');
      }
      disk.break(operation, undefined);
      await recorded.until(({ state }) => state === 'recording');
      const { dropped, seq } = recorded.log.stats();
      await recorded.log.close();
      const { entries } = await checkLog(folder.path);
      assert.equal(entries.length + dropped, seq);
    });
  }
});

describe('a disk that is well again', () => {
  /** @returns a recorder whose disk has failed, has dropped entries and works again, which it does not know yet */
  async function failedOnce(dir: string, retryMs: number) {
    const disk = faultyDisk();
    const recorded = await record(dir, { files: disk.files, timing: { retryMs } });
    await serveUntil(recorded, ({ writtenSeq }) => writtenSeq > 20);
    disk.break('write', 'ENOSPC');
    await serveUntil(recorded, ({ state, dropped }) => state === 'failed' && dropped > 20);
    disk.break('write', undefined);
    return recorded;
  }

  it('is written to at the shutdown, where the gap and the end of the run were left out', async () => {
    using folder = temporaryFolder();
    const recorded = await failedOnce(folder.path, 3_600_000);
    recorded.take({ type: 'gateway.stopping' });
    await recorded.log.close();
    const { dropped, seq } = recorded.log.stats();
    const { entries, gaps } = await checkLog(folder.path);
    assert.deepEqual([gaps.length, gaps[0]?.dropped, gaps[0]?.seq], [1, dropped, seq]);
    assert.equal(entries.length + dropped, seq);
  });

  it('gives the folder free at the shutdown even if it has failed again, where the lock was left behind', async () => {
    using folder = temporaryFolder();
    const disk = faultyDisk();
    const recorded = await record(folder.path, { files: disk.files });
    await serveUntil(recorded, ({ writtenSeq }) => writtenSeq > 20);
    disk.break('sync', 'EIO');
    recorded.serve();
    await recorded.log.close();
    assert.deepEqual(readdirSync(folder.path), [FIRST]);
  });

  it('keeps a gap that nothing followed before the kill, where its numbers were given out again', async () => {
    using folder = temporaryFolder();
    using copy = temporaryFolder();
    await using recorded = await failedOnce(folder.path, 20);
    await recorded.until(({ state }) => state === 'recording');
    const { seq, syncedSeq, dropped } = recorded.log.stats();
    assert.equal(syncedSeq, seq);
    cpSync(folder.path, copy.path, { recursive: true });
    rmSync(join(copy.path, 'reprise.lock'));

    const next = await record(copy.path);
    assert.equal(next.log.firstSeq, seq + 1);
    next.serve();
    await next.log.close();
    const { gaps } = await checkLog(copy.path);
    assert.deepEqual(
      gaps.map((gap) => [gap.dropped, gap.seq]),
      [[dropped, seq]],
    );
    assert.deepEqual((await readAll(copy.path)).damage, []);
  });
});

describe('a disk that hangs', () => {
  it('makes the log hold no more than is set, then drop, count, and mark a gap when it goes on', async () => {
    using folder = temporaryFolder();
    const disk = faultyDisk();
    const bufferBytes = 200_000;
    const recorded = await record(folder.path, { files: disk.files, settings: { bufferBytes } });
    await recorded.until(({ writtenSeq }) => writtenSeq > 0);
    const goOn = disk.hang();
    let most = 0;
    for (let count = 0; count < 5000; count += 1) {
      recorded.serve();
      most = Math.max(most, recorded.log.stats().waitingBytes);
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(most <= bufferBytes && most > bufferBytes / 2, `${most} bytes waited`);
    assert.deepEqual([recorded.log.stats().state, recorded.log.stats().reason], ['dropping', 'too slow']);
    goOn();
    await recorded.until(({ state }) => state === 'recording');
    recorded.serve();
    await recorded.log.close();
    const { dropped, seq } = recorded.log.stats();
    const { entries, gaps, segments } = await checkLog(folder.path);
    assert.deepEqual([gaps.length, gaps[0]?.reason, gaps[0]?.dropped], [1, 'too slow', dropped]);
    assert.equal(entries.length + dropped, seq);
    assert.equal(segments.length, 1, 'a gap needs no new segment');
  });

  it('does not hang the shutdown', async () => {
    using folder = temporaryFolder();
    const disk = faultyDisk();
    const { logger, lines } = heardLogger();
    const recorded = await record(folder.path, { files: disk.files, logger, timing: { closeWithinMs: 500 } });
    await recorded.until(({ writtenSeq }) => writtenSeq > 0);
    const goOn = disk.hang();
    recorded.serve();
    const before = performance.now();
    await recorded.log.close();
    assert.ok(performance.now() - before < PATIENCE_MS, 'it waited for more than its own limit');
    assert.ok(lines.some((line) => line.includes('did not close within')));
    goOn();
  });
});

describe('a folder that cannot be opened', () => {
  it('is tried again; what is missing is counted, and numbers go on from what is found there', async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, 'log');
    const first = await record(dir);
    for (let count = 0; count < 30; count += 1) first.serve();
    const { seq: last } = first.log.stats();
    await first.log.close();
    const kept = readFileSync(join(dir, FIRST));
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'a file in place of the folder');

    const { logger, lines } = heardLogger();
    const recorded = await record(dir, { logger });
    assert.equal(recorded.log.firstSeq, 1);
    for (let count = 0; count < 10; count += 1) recorded.serve();
    const { state, dropped } = recorded.log.stats();
    assert.deepEqual([state, dropped], ['failed', recorded.log.stats().seq]);
    mkdirSync(`${dir}-kept`);
    writeFileSync(join(`${dir}-kept`, FIRST), kept);
    rmSync(dir);
    // Whole, since it is tried again at any moment.
    renameSync(`${dir}-kept`, dir);
    await recorded.until((stats) => stats.state === 'recording');
    recorded.serve();
    await recorded.log.close();
    const { gaps, segments } = await checkLog(dir);
    assert.deepEqual([gaps[0]?.after, gaps[0]?.dropped], [last, dropped]);
    assert.equal(segments.at(-1)?.reason, 'started');
    assert.equal(lines.filter((line) => line.includes('cannot be written')).length, 1);
  });

  it('at the start is a run of its own, where it was taken for the one before and its clock for damage', async () => {
    using folder = temporaryFolder();
    const first = await record(folder.path);
    const late = await record(folder.path);
    for (let count = 0; count < 30; count += 1) first.serve();
    late.serve();
    await first.log.close();
    await late.until(({ state }) => state === 'recording');
    late.serve();
    await late.log.close();
    const { damage, items } = await readAll(folder.path);
    assert.deepEqual(damage, []);
    const times = items.flatMap(({ line }) => ('fact' in line ? [line.at] : []));
    assert.ok((times.at(-1) ?? 0) < (times.at(-10) ?? 0), 'the clock of the later run is behind');
    const { playback } = await playLog(folder.path, watchMoment(), undefined, () => {});
    assert.deepEqual(
      playback.stretches.map(({ run, began }) => [run, began]),
      [
        [1, 'run'],
        [2, 'run'],
      ],
    );
    assert.match(
      stretchWords(playback.stretches[1] ?? assert.fail()),
      /^Run 2, from .*, behind a gap of \d+ entries \(EVENT_LOG_LOCKED\)$/,
    );
  });

  it('because another gateway has it is not written to, until that one has gone', async () => {
    using folder = temporaryFolder();
    const one = await record(folder.path);
    const { logger, lines } = heardLogger();
    const other = await record(folder.path, { logger });
    for (let count = 0; count < 20; count += 1) {
      one.serve();
      other.serve();
    }
    const stats = other.log.stats();
    assert.deepEqual([stats.state, stats.reason, stats.dropped], ['failed', 'EVENT_LOG_LOCKED', stats.seq]);
    assert.ok(lines.some((line) => /"level":50.*give each gateway a folder of its own/.test(line)));
    const { seq } = one.log.stats();
    await one.log.close();
    await other.until(({ state }) => state === 'recording');
    other.serve();
    await other.log.close();
    const { entries, gaps } = await checkLog(folder.path);
    assert.equal(entries.filter((entry) => entry.seq <= seq).length, seq);
    assert.deepEqual([gaps[0]?.after, gaps[0]?.dropped], [seq, stats.dropped]);
  });

  it('whose lock was left by a process that is dead is taken over', async () => {
    using folder = temporaryFolder();
    const dead = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
    const host = execFileSync('hostname', { encoding: 'utf8' }).trim();
    writeFileSync(join(folder.path, 'reprise.lock'), JSON.stringify({ pid: Number(dead), host, run: 'x' }));
    await using recorded = await record(folder.path);
    await recorded.until(({ writtenSeq, state }) => state === 'recording' && writtenSeq > 0);
  });
});

/** A file system of 1 MiB; undefined where it cannot be mounted. */
function mountSmall(path: string): Disposable | undefined {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', path]) };
}

describe('a file system that is really full', () => {
  it('is written again once there is room', async (t) => {
    using folder = temporaryFolder();
    const dir = join(folder.path, 'small');
    using mounted = mountSmall(dir);
    if (mounted === undefined) {
      t.diagnostic('not tried: no file system can be mounted here');
      return;
    }
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(512 * 1024));
    const recorded = await record(join(dir, 'log'));
    await serveUntil(recorded, ({ state }) => state === 'failed');
    assert.equal(recorded.log.stats().reason, 'ENOSPC');
    assert.ok(statSync(join(dir, 'log', FIRST)).size > 200_000);
    for (let count = 0; count < 100; count += 1) recorded.serve();
    rmSync(join(dir, 'ballast'));
    await recorded.until(({ state }) => state === 'recording');
    for (let count = 0; count < 100; count += 1) recorded.serve();
    await recorded.log.close();
    const { dropped, seq } = recorded.log.stats();
    const { entries, gaps } = await checkLog(join(dir, 'log'));
    assert.equal(entries.length + dropped, seq);
    assert.ok(gaps.length >= 1 && gaps.every(({ reason }) => reason === 'ENOSPC'));
  });
});
