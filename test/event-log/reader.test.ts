/** What the reader of a log accepts, and what it refuses. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeLine } from '../../src/io/event-log/lines.ts';
import { type Damage, readLog } from '../../src/io/event-log/reader.ts';
import {
  busyWorld,
  firstSeq,
  folderOf,
  type LogFiles,
  readAll,
  recordWorlds,
  resealed,
  withFile,
  withLines,
} from '../support/recorded-log.ts';

const GOOD = recordWorlds([busyWorld(1, 150)]);
const [FIRST = '', SECOND = '', THIRD = ''] = [...GOOD.keys()];
const LAST = [...GOOD.keys()].at(-1) ?? '';

function compressed(files: ReadonlyMap<string, string>): LogFiles {
  const entries = [...files].map(([name, text], index): [string, string | Uint8Array] => {
    if (name === LAST) return [name, text];
    return index % 2 === 0 ? [`${name}.zst`, zstdCompressSync(text)] : [`${name}.gz`, gzipSync(text)];
  });
  return new Map(entries);
}

describe('a good log', () => {
  test('is read line by line in order, each with its place', async (t) => {
    assert.ok(GOOD.size >= 5, `${GOOD.size} segments`);
    const { items, damage, seqs } = await readAll(folderOf(t, GOOD));
    assert.deepEqual(damage, []);
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => index + 1),
    );
    for (const { place, line, covered } of items) {
      const text = GOOD.get(place.segment) ?? '';
      const end = text.indexOf('\n', place.byte);
      assert.equal(text.slice(place.byte, end + 1), encodeLine(line, place.line));
      assert.ok(encodeLine(line, place.line).startsWith(`${covered},"n":${place.line},"crc":`));
      assert.equal(text.slice(0, place.byte).split('\n').length, place.line);
    }
  });

  test('is the same compressed', async (t) => {
    const plain = await readAll(folderOf(t, GOOD));
    const packed = await readAll(folderOf(t, compressed(GOOD)));
    assert.deepEqual(packed.damage, []);
    assert.deepEqual(
      packed.items.map(({ line }) => line),
      plain.items.map(({ line }) => line),
    );
  });

  test('may lack its oldest segments, which retention removes', async (t) => {
    const { damage, seqs } = await readAll(
      folderOf(
        t,
        withFile(GOOD, FIRST, () => undefined),
      ),
    );
    assert.deepEqual(damage, []);
    assert.equal(seqs[0], firstSeq(SECOND));
  });

  test('may be one segment, under any name', async (t) => {
    const text = GOOD.get(SECOND) ?? '';
    const folder = folderOf(t, new Map([['copy.ndjson.gz', gzipSync(text)]]));
    const { damage, seqs } = await readAll(join(folder, 'copy.ndjson.gz'));
    assert.deepEqual([damage, seqs[0]], [[], firstSeq(SECOND)]);
  });

  test('may be compressed by the gateway while it is read', async (t) => {
    const folder = folderOf(t, GOOD);
    const damage: Damage[] = [];
    let items = 0;
    for await (const batch of readLog(folder, { onDamage: (each) => damage.push(each) })) {
      items += batch.length;
      for (const name of [SECOND, THIRD]) {
        if (!existsSync(join(folder, name))) continue;
        writeFileSync(join(folder, `${name}.zst`), zstdCompressSync(GOOD.get(name) ?? ''));
        rmSync(join(folder, name));
      }
    }
    assert.deepEqual([damage, items], [[], (await readAll(folder)).items.length]);
  });

  test('has gaps and restarts, behind which the state is to be loaded', async (t) => {
    const worlds = [busyWorld(1, 60), busyWorld(2, 60)];
    const files = recordWorlds(worlds, { segmentBytes: 1e6, lose: { every: 20, count: 3 } });
    const { items, damage } = await readAll(folderOf(t, files));
    assert.deepEqual(damage, []);
    const snapshots = items.filter(({ line }) => 'type' in line && line.type === 'snapshot');
    assert.ok(snapshots.length > 4);
    assert.ok(snapshots.every(({ continuous }) => !continuous));
  });

  test('may hold any character', async (t) => {
    const change = (line: string) => resealed(line, (text) => text.replace('/v1/chat', '/v1/χat-€-😀'));
    const files = withFile(GOOD, LAST, (text) => withLines(text, (lines) => lines.map(change)));
    const { damage, items } = await readAll(folderOf(t, files));
    assert.deepEqual(damage, []);
    assert.ok(items.some(({ covered }) => covered.includes('/v1/χat-€-😀')));
  });
});

describe('a log is refused', () => {
  test('when there is none', async (t) => {
    const folder = folderOf(t, new Map([['notes.txt', 'hello']]));
    await assert.rejects(readAll(folder), { name: 'LogRefusedError', code: 'LOG_EMPTY' });
    await assert.rejects(readAll(join(folder, 'nowhere')), {
      name: 'LogRefusedError',
      code: 'LOG_NOT_FOUND',
    });
    await assert.rejects(readAll(join(folder, 'notes.txt', 'deeper')), { name: 'LogRefusedError' });
  });

  test('when a later Reprise wrote it in another format, and says which', async (t) => {
    const files = withFile(GOOD, FIRST, (text) =>
      withLines(text, ([header = '', ...rest]) => [
        resealed(header, (line) => line.replace('"v":1', '"v":2').replace('"0.1.0"', '"3.4.5"')),
        ...rest,
      ]),
    );
    await assert.rejects(readAll(folderOf(t, files)), {
      code: 'LOG_VERSION_UNKNOWN',
      message: /is of format version 2, written by Reprise 3\.4\.5; this Reprise reads up to version 1/,
    });
  });
});
