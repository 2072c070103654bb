/** A folder that another gateway has taken over from one that was stopped for a while, and wrote on into it. */
import assert from 'node:assert/strict';
import { appendFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { probeFailed } from '../support/core.ts';
import { checkLog, record, temporaryFolder } from '../support/event-log.ts';
import { faultyDisk } from '../support/faulty-disk.ts';
import { readAll } from '../support/recorded-log.ts';

describe('a folder that was taken over', () => {
  /** One gateway, and another that found its lock stale, as after a long sleep of the machine. */
  async function takenOver(dir: string, trustLockMs: number) {
    const disk = faultyDisk();
    const one = await record(dir, { files: disk.files, timing: { trustLockMs } });
    for (let count = 0; count < 20; count += 1) one.serve();
    await one.until(({ syncedSeq, seq }) => syncedSeq === seq);
    const kept = one.log.stats().seq;
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(dir, 'reprise.lock'), longAgo, longAgo);
    const other = await record(dir);
    other.serve();
    await other.until(({ syncedSeq, seq }) => syncedSeq === seq);
    return { disk, one, kept, other };
  }

  /** The one has written on behind the end that the other found, and has not noticed yet. */
  async function writtenOn(dir: string) {
    const scene = await takenOver(dir, 3_600_000);
    for (let count = 0; count < 50; count += 1) scene.one.take(probeFailed('b'));
    await scene.one.until(({ writtenSeq, seq }) => writtenSeq === seq);
    return scene;
  }

  it('is not written to any more, where a stopped gateway wrote on into a segment that another had closed', async () => {
    using folder = temporaryFolder();
    const { one, kept, other } = await takenOver(folder.path, 0);
    for (let count = 0; count < 20; count += 1) one.serve();
    await one.until(({ state, reason }) => state === 'failed' && reason === 'EVENT_LOG_LOCKED');
    await other.log.close();
    await one.until(({ state }) => state === 'recording');
    const { dropped } = one.log.stats();
    one.serve();
    await one.log.close();
    const { gaps, segments } = await checkLog(folder.path);
    assert.deepEqual(
      gaps.map((gap) => gap.dropped),
      [dropped],
    );
    assert.equal(segments[1]?.seq, kept + 1);
    assert.deepEqual((await readAll(folder.path)).damage, []);
  });

  for (const isOtherGone of [false, true]) {
    const who = isOtherGone ? 'that has gone again' : 'that is still there';
    it(`counts what was written behind the end that another gateway ${who} had found`, async () => {
      using folder = temporaryFolder();
      const { disk, one, other } = await writtenOn(folder.path);
      if (isOtherGone) await other.log.close();
      disk.break('write', 'EIO');
      one.take(probeFailed('b'));
      await one.until(({ state }) => state === 'failed');
      disk.break('write', undefined);
      await other.log.close();
      await one.until(({ state }) => state === 'recording');
      const { dropped, seq } = one.log.stats();
      assert.deepEqual([dropped, seq], [51, other.log.stats().seq + 51]);
      await one.log.close();
      const { damage, items } = await readAll(folder.path);
      // None, if the other gateway had compressed the segment before.
      assert.ok(
        damage.every(({ problem }) => problem.includes('was altered or cut')),
        JSON.stringify(damage),
      );
      const gap = items.find(({ line }) => 'type' in line && line.type === 'log.gap');
      assert.equal(gap?.line.seq, seq);
    });
  }

  it('is known to have been, also where the first try to open it again fails', async () => {
    using folder = temporaryFolder();
    const { disk, one, other } = await writtenOn(folder.path);
    const { segment } = other.log.stats();
    await other.log.close();
    // What has to be cut off, which fails when the lock is taken already.
    appendFileSync(join(folder.path, segment ?? ''), '{"v":1,');
    disk.break('write', 'EIO');
    disk.break('open', 'EIO');
    one.take(probeFailed('b'));
    await one.until(() => disk.failures >= 2);
    disk.break('write', undefined);
    disk.break('open', undefined);
    await one.until(({ state }) => state === 'recording');
    const { dropped, seq } = one.log.stats();
    assert.deepEqual([dropped, seq], [51, other.log.stats().seq + 51]);
    await one.log.close();
  });
});
