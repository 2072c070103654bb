/** Who holds the folder of a log, and what does not count as the loss of it. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { acquireLock } from '../../src/io/event-log/lock.ts';
import { temporaryFolder } from '../support/event-log.ts';

describe('a lock', () => {
  it('is still held when its file cannot be read for once, where that counted as its loss', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'reprise.lock');
    const lock = await acquireLock(folder.path);
    const content = readFileSync(path, 'utf8');
    unlinkSync(path);
    // Reading a folder fails with EISDIR, as any read fails with EMFILE when there are too many files open.
    mkdirSync(path);
    await assert.rejects(lock.isHeld(), { code: 'EISDIR' });
    rmdirSync(path);
    writeFileSync(path, content);
    assert.equal(await lock.isHeld(), true);
    await lock.release();
  });

  it('is lost when its file is gone or is of somebody else', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'reprise.lock');
    const lock = await acquireLock(folder.path);
    writeFileSync(path, JSON.stringify({ pid: 1, host: 'other', run: 'x' }));
    assert.equal(await lock.isHeld(), false);
    unlinkSync(path);
    assert.equal(await lock.isHeld(), false);
  });

  it('that this process left behind is taken again, and one that it holds is not', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'reprise.lock');
    const lock = await acquireLock(folder.path);
    await assert.rejects(acquireLock(folder.path), { code: 'EVENT_LOG_LOCKED' });
    const content = readFileSync(path, 'utf8');
    await lock.release();
    writeFileSync(path, content);
    const again = await acquireLock(folder.path);
    assert.equal(await again.isHeld(), true);
    await again.release();
  });
});
