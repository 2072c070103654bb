/** What a start makes of the end of a log that was cut off anywhere, and of damage that is not at its end. */
import assert from 'node:assert/strict';
import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { realFiles } from '../../src/io/event-log/files.ts';
import { recoverEnd } from '../../src/io/event-log/recovery.ts';
import { checkLog, heardLogger, record, temporaryFolder } from '../support/event-log.ts';
import { readAll } from '../support/recorded-log.ts';

const FIRST = 'events-0000000000000001.ndjson';
const recover = (dir: string) => recoverEnd(realFiles, dir, { doubt: undefined, known: undefined });

/** A log of one run, and the number of its last entry. */
async function written(dir: string, requests: number): Promise<number> {
  const recorded = await record(dir);
  for (let count = 0; count < requests; count += 1) recorded.serve();
  await recorded.log.close();
  return recorded.log.stats().seq;
}

describe('recovery', () => {
  it('cuts off what follows the last whole line, wherever the last three lines end', async () => {
    using folder = temporaryFolder();
    await written(folder.path, 5);
    const path = join(folder.path, FIRST);
    const whole = readFileSync(path);
    const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
    const first = ends.at(-4) ?? 0;
    for (let length = first; length <= whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      const end = await recover(folder.path);
      const expected = ends.findLast((each) => each <= length) ?? 0;
      assert.deepEqual([length - end.cutBytes, statSync(path).size], [expected, expected]);
      assert.equal(end.lastSeq, ends.indexOf(expected) - 1);
    }
  });

  it('removes a segment whose header is torn, at any byte, and goes on with the same number', async () => {
    using folder = temporaryFolder();
    const last = await written(folder.path, 5);
    const next = `events-${String(last + 1).padStart(16, '0')}.ndjson`;
    const second = await record(folder.path);
    second.serve();
    await second.log.close();
    const whole = readFileSync(join(folder.path, next));
    const header = whole.indexOf(0x0a) + 1;
    const snapshot = whole.indexOf(0x0a, header) + 1;
    for (let length = 0; length <= snapshot; length += 1) {
      writeFileSync(join(folder.path, next), whole.subarray(0, length));
      const { lastSeq, previous } = await recover(folder.path);
      assert.deepEqual([lastSeq, previous?.name], [last, FIRST]);
      assert.deepEqual(readdirSync(folder.path), [FIRST]);
    }
  });

  it('cuts off a last line whose CRC is wrong, and zeros that a file system left', async () => {
    using folder = temporaryFolder();
    const last = await written(folder.path, 5);
    const path = join(folder.path, FIRST);
    const whole = readFileSync(path);
    const flipped = Buffer.from(whole);
    flipped[whole.length - 40] = (flipped[whole.length - 40] ?? 0) ^ 1;
    writeFileSync(path, flipped);
    assert.equal((await recover(folder.path)).lastSeq, last - 1);
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(300_000)]));
    assert.deepEqual(await recover(folder.path).then(({ lastSeq, cutBytes }) => [lastSeq, cutBytes]), [
      last,
      300_000,
    ]);
  });

  it('leaves damage in the middle alone', async () => {
    using folder = temporaryFolder();
    const last = await written(folder.path, 5);
    const path = join(folder.path, FIRST);
    const damaged = readFileSync(path);
    damaged.write('damage', 2000);
    writeFileSync(path, damaged);
    const { lastSeq, cutBytes } = await recover(folder.path);
    assert.deepEqual([lastSeq, cutBytes], [last, 0]);
    assert.deepEqual(readFileSync(path), damaged);
  });

  it('goes on behind a segment that is compressed already', async () => {
    using folder = temporaryFolder();
    const recorded = await record(folder.path, { settings: { segmentBytes: 20_000 } });
    for (let count = 0; count < 300; count += 1) recorded.serve();
    await recorded.until(() => readdirSync(folder.path).filter((file) => file.endsWith('.zst')).length > 2);
    await recorded.log.close();
    for (const file of readdirSync(folder.path)) {
      if (!file.endsWith('.zst')) rmSync(join(folder.path, file));
    }
    const before = await checkLog(folder.path);
    const again = await record(folder.path);
    assert.equal(again.log.firstSeq, (before.entries.at(-1)?.seq ?? 0) + 1);
    again.serve();
    await again.log.close();
    const { segments } = await checkLog(folder.path);
    assert.equal(segments.length, before.segments.length + 1);
  });

  for (const [name, damage] of [
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100)],
    ['empty', () => Buffer.alloc(0)],
    ['altered', (bytes: Buffer) => bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 20)],
  ] as const) {
    it(`goes on behind a compressed segment that is ${name}, where it never recorded again`, async () => {
      using folder = temporaryFolder();
      const last = await written(folder.path, 800);
      const packed = `${FIRST}.zst`;
      const content = damage(zstdCompressSync(readFileSync(join(folder.path, FIRST))));
      writeFileSync(join(folder.path, packed), content);
      rmSync(join(folder.path, FIRST));
      const { logger, lines } = heardLogger();
      const recorded = await record(folder.path, { logger });
      const { firstSeq } = recorded.log;
      recorded.serve();
      await recorded.until(({ syncedSeq, seq }) => syncedSeq === seq);
      await recorded.log.close();
      assert.ok(firstSeq > 1 && firstSeq <= last, `${firstSeq}`);
      assert.ok(lines.some((line) => line.includes(`${packed} is kept as it is`)));
      assert.deepEqual(readFileSync(join(folder.path, packed)), content);
      const { damage: found, seqs } = await readAll(folder.path);
      assert.ok(found.length > 0 && found.every(({ segment }) => segment === packed), JSON.stringify(found));
      assert.ok(seqs.includes(firstSeq));
    });
  }

  it('waits for a better moment when it cannot read a compressed segment for want of files', async () => {
    using folder = temporaryFolder();
    await written(folder.path, 5);
    rmSync(join(folder.path, FIRST));
    symlinkSync(`${FIRST}.zst`, join(folder.path, `${FIRST}.zst`));
    await assert.rejects(recover(folder.path), { name: 'ReadError', message: /ELOOP/ });
  });

  it('puts a last segment aside whose lines cannot be read, where it was removed', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, FIRST);
    for (const kept of [0, 1, 2]) {
      await written(folder.path, 5);
      const lines = readFileSync(path, 'utf8').split('\n');
      const text = lines.map((line, index) => (index < kept ? line : line.replace('1', '2'))).join('\n');
      writeFileSync(path, text);
      const aside = `${FIRST}.damaged${kept === 0 ? '' : `-${kept + 1}`}`;
      const { damaged, previous, cutBytes } = await recover(folder.path);
      assert.deepEqual([damaged, previous, cutBytes], [[aside], null, 0]);
      assert.equal(readFileSync(join(folder.path, aside), 'utf8'), text);
    }
    assert.equal(await written(folder.path, 1), 5);
    await checkLog(folder.path);
  });

  it('tells how many bytes it cut off, and the log goes on whole', async () => {
    using folder = temporaryFolder();
    const last = await written(folder.path, 5);
    const path = join(folder.path, FIRST);
    truncateSync(path, statSync(path).size - 10);
    const { logger, lines } = heardLogger();
    const recorded = await record(folder.path, { logger });
    assert.equal(recorded.log.firstSeq, last);
    assert.ok(lines.some((line) => /"bytes":\d+.*were cut off/.test(line)));
    recorded.serve();
    await recorded.log.close();
    await checkLog(folder.path);
  });

  it('removes what a compression left half done', async () => {
    using folder = temporaryFolder();
    await written(folder.path, 5);
    cpSync(join(folder.path, FIRST), join(folder.path, `${FIRST}.zst.tmp`));
    await recover(folder.path);
    assert.deepEqual(readdirSync(folder.path), [FIRST]);
  });
});
