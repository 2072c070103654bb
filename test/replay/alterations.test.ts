/**
 * A good log altered in every way a disk, a person or a program may: each alteration is reported, with a place near it,
 * and nothing crashes. One cannot be seen by anybody: whole lines cut off the very end.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type ReplayReport, replayLog } from '../../src/io/event-log/replay-log.ts';
import { coreConfig } from '../support/core.ts';
import { busyWorld, folderOf, recordWorlds, resealed, withFile, withLines } from '../support/recorded-log.ts';

const SMALL = recordWorlds([busyWorld(3, 14)], { segmentBytes: 3_500, checkpointEvery: 5 });
const GOOD = recordWorlds([busyWorld(1, 400)]);
const NAMES = [...GOOD.keys()];

/** Every byte takes a minute, and finds no more: REPRISE_TEST_EVERY_BYTE=1 does it. Odd, so that all eight bits take turns. */
const STEP = process.env.REPRISE_TEST_EVERY_BYTE === '1' ? 1 : 23;
/** A byte of a packed file stands for several. */
const PACKED_STEP = STEP === 1 ? 1 : 5;

const NEWLINE = 0x0a;

/** Files are rewritten in place, since a folder for each of thousands of alterations takes its time. */
const scratch = mkdtempSync(join(tmpdir(), 'reprise-alterations-'));
after(() => rmSync(scratch, { recursive: true }));

for (const [name, text] of SMALL) writeFileSync(join(scratch, name), text);

let alteredName = '';

async function replaySmallWith(name: string, content: Uint8Array): Promise<ReplayReport> {
  const before = SMALL.get(alteredName);
  if (before !== undefined) writeFileSync(join(scratch, alteredName), before);
  writeFileSync(join(scratch, name), content);
  alteredName = name;
  return await replayLog(scratch);
}

/** Lengths below that of the content, all at and beside the ends of lines among them. */
function sampleLengths(bytes: Uint8Array): number[] {
  return Array.from(bytes.keys()).filter(
    (length) => length % STEP === 0 || [length - 1, length, length + 1].some((at) => bytes[at] === NEWLINE),
  );
}

/** The segment where the first trouble was found. */
function placeOf({ firstTrouble, damage, firstDivergence }: ReplayReport): string | undefined {
  return firstTrouble === 'damage' ? damage[0]?.segment : firstDivergence?.place.segment;
}

describe('a small log', () => {
  const names = [...SMALL.keys()];

  test('with a flipped bit is reported as damaged, in that segment or the header behind it', async () => {
    assert.ok(names.length >= 2);
    for (const [index, [name, text]] of [...SMALL].entries()) {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += STEP) {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
        const report = await replaySmallWith(name, altered);
        const where = `bit ${at % 8} of byte ${at} of ${name}`;
        assert.equal(report.firstTrouble, 'damage', where);
        assert.ok([name, names[index + 1]].includes(placeOf(report)), where);
        const [damage] = report.damage;
        assert.ok(damage?.segment !== name || (damage.byte <= at && at - damage.byte < 3_500), where);
      }
    }
  });

  test('cut short at any byte of a segment that is not the last is reported', async () => {
    for (const [name, text] of [...SMALL].slice(0, -1)) {
      const bytes = Buffer.from(text);
      for (const length of sampleLengths(bytes)) {
        const report = await replaySmallWith(name, bytes.subarray(0, length));
        assert.equal(report.firstTrouble, 'damage', `${length} bytes of ${name}`);
      }
    }
  });

  test('cut short at any byte of its last segment is reported, unless only whole entries are gone', async () => {
    const [name, text] = [...SMALL].at(-1) ?? ['', ''];
    const bytes = Buffer.from(text);
    for (const length of sampleLengths(bytes)) {
      const kept = bytes.subarray(0, length);
      const { firstTrouble, recovered, damage, divergences } = await replaySmallWith(name, kept);
      const torn = length - (kept.lastIndexOf('\n') + 1);
      const wholeLines = kept.toString().split('\n').length - 1;
      assert.equal(recovered, torn, `${length} bytes`);
      assert.equal(divergences, 0);
      if (torn > 0 || wholeLines < 2) {
        assert.equal(firstTrouble, 'damage', `${length} bytes`);
        assert.match(damage[0]?.problem ?? '', /as after a crash/);
      } else assert.equal(firstTrouble, undefined);
    }
  });

  const changes: [string, (lines: string[], at: number) => string[]][] = [
    ['deleted', (lines, at) => lines.toSpliced(at, 1)],
    ['repeated', (lines, at) => lines.toSpliced(at, 0, lines[at] ?? '')],
    ['swapped with the next', (lines, at) => lines.toSpliced(at, 2, lines[at + 1] ?? '', lines[at] ?? '')],
  ];
  for (const [how, change] of changes) {
    test(`with any line ${how} is reported in that segment, also of it alone, where checkpoints and snapshots were not`, async () => {
      for (const [name, text] of SMALL) {
        const lines = text.split('\n').slice(0, -1);
        // The last line cannot be swapped, and that it is gone is what a log looks like that ended there.
        const last = how === 'repeated' ? lines.length : lines.length - 1;
        for (let at = 0; at < last; at += 1) {
          const altered = Buffer.from(withLines(text, (all) => change(all, at)));
          for (const report of [await replaySmallWith(name, altered), await replayLog(join(scratch, name))]) {
            const [damage] = report.damage;
            const where = `line ${at + 1} of ${lines.length} of ${name}`;
            assert.deepEqual([report.firstTrouble, damage?.segment], ['damage', name], where);
            assert.equal(damage?.line, how === 'repeated' ? at + 2 : at + 1, where);
          }
        }
      }
    });
  }

  for (const [suffix, pack] of [
    ['.zst', zstdCompressSync],
    ['.gz', gzipSync],
  ] as const) {
    test(`with a flipped bit in a ${suffix} segment never gives another answer in silence`, async (t) => {
      const [name = '', text = ''] = [...SMALL][0] ?? [];
      const others = withFile(SMALL, name, () => undefined);
      const packed = pack(text);
      const folder = folderOf(t, others);
      const path = join(folder, `${name}${suffix}`);
      writeFileSync(path, packed);
      const good = await replayLog(folder);
      assert.equal(good.firstTrouble, undefined);
      for (let at = 0; at < packed.length; at += PACKED_STEP) {
        const altered = Buffer.from(packed);
        altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(path, altered);
        const report = await replayLog(folder);
        // Some bits say nothing about the content, such as the time in a gzip header.
        if (report.firstTrouble === undefined) assert.deepEqual(report, good);
        else assert.equal(report.firstTrouble, 'damage');
      }
    });
  }
});

describe('a log altered by somebody who mends the CRC', () => {
  /** Changes the first line that `change` changes, in the given segment. */
  function forged(name: string, change: (line: string) => string) {
    let done = false;
    const files = withFile(GOOD, name, (text) =>
      withLines(text, (lines) =>
        lines.map((line) => {
          const next = done ? line : resealed(line, change);
          done ||= next !== line;
          return next;
        }),
      ),
    );
    assert.ok(done, 'nothing was altered');
    return files;
  }

  test('diverges where a decision names another backend', async (t) => {
    const names = NAMES.filter((name) => GOOD.get(name)?.includes('backend.selected'));
    for (const name of names.slice(0, 6)) {
      const files = forged(name, (line) =>
        line.replace(/("backend\.selected","request":\d+,"backend":)"(.)"/, '$1"zz"'),
      );
      const report = await replayLog(folderOf(t, files));
      assert.equal(report.firstTrouble, 'divergence');
      assert.equal(placeOf(report), name);
      assert.equal(report.divergences, 1);
      assert.equal(report.firstDivergence?.divergence.kind, 'decisions');
      assert.equal(report.firstDivergence?.before.length, 5);
      // The hash in the next header no longer fits either.
      assert.equal(report.damage.length, 1);
    }
  });

  test('diverges where a weight in a config has another digit, or shows in the next header if nothing came of it', async (t) => {
    const troubles = new Set<string | undefined>();
    for (const name of NAMES.slice(0, -1)) {
      if (!/"fact":.*"weight":/.test(GOOD.get(name) ?? '')) continue;
      const files = forged(name, (line) => line.replace(/("fact":.*"weight":)\d/, '$19'));
      const report = await replayLog(folderOf(t, files));
      troubles.add(report.firstTrouble);
    }
    assert.deepEqual([...troubles].sort(), ['damage', 'divergence']);
  });

  test('is damaged where a weight in a snapshot has another digit', async (t) => {
    const name = NAMES[2] ?? '';
    const files = forged(name, (line) => line.replace(/("type":"snapshot".*"weight":)(\d)/, '$19'));
    const report = await replayLog(folderOf(t, files));
    assert.deepEqual([report.firstTrouble, placeOf(report)], ['damage', name]);
    assert.match(report.damage[0]?.problem ?? '', /not the one its hash is of/);
  });

  test('diverges where a checkpoint has another hash', async (t) => {
    const name = NAMES[1] ?? '';
    const files = forged(name, (line) =>
      line.replace(/("type":"checkpoint"|"hash":")([0-9a-f])(.*checkpoint)/, '$1_$3'),
    );
    const report = await replayLog(folderOf(t, files));
    assert.deepEqual([report.firstTrouble, placeOf(report)], ['divergence', name]);
    assert.equal(report.firstDivergence?.divergence.kind, 'state');
  });

  test('diverges or is damaged where a fact makes no sense to the core', async (t) => {
    for (const fact of [
      'null',
      '7',
      '[]',
      '{}',
      '{"type":"unheard.of"}',
      '{"type":"config.reloaded"}',
      '{"type":"config.reloaded","config":{"backends":null}}',
      '{"type":"config.reloaded","config":{"backends":[null]}}',
      '{"type":"probe.failed"}',
      '{"type":"__proto__"}',
    ]) {
      const name = NAMES[1] ?? '';
      const files = forged(name, (line) =>
        line.replace(/"fact":.*,"decisions":\[.+$/, `"fact":${fact},"decisions":[{}]`),
      );
      const report = await replayLog(folderOf(t, files));
      assert.notEqual(report.firstTrouble, undefined, fact);
      assert.equal(placeOf(report), name, fact);
    }
  });

  test('is reported with what is left of the state where a fact at its end breaks the core off half way', async (t) => {
    const [backend] = coreConfig().backends;
    const config = JSON.stringify({ ...coreConfig(), backends: [{ ...backend, id: 'zz' }], pool: undefined });
    const name = NAMES.at(-1) ?? '';
    const files = withFile(GOOD, name, (text) =>
      withLines(text, (lines) => {
        const last = lines.findLastIndex((line) => line.includes('"fact":'));
        const change = (line: string) =>
          line.replace(/"fact":.*$/, `"fact":{"type":"config.reloaded","config":${config}},"decisions":[]`);
        return lines
          .slice(0, last + 1)
          .map((line, index) => (index === last ? resealed(line, change) : line));
      }),
    );
    const report = await replayLog(folderOf(t, files));
    assert.equal(report.firstDivergence?.divergence.kind, 'failure');
    assert.equal(placeOf(report), name);
  });

  test('goes on from the next snapshot after a divergence and counts the further ones', async (t) => {
    const change = (line: string) =>
      line.replace(/"decisions":\[\]$/, '"decisions":[{"type":"gateway.stopped"}]');
    const files = new Map(GOOD);
    let altered = 0;
    for (const [name, text] of GOOD) {
      const lines = withLines(text, (all) => all.map((line) => resealed(line, change)));
      if (lines !== text) altered += 1;
      files.set(name, lines);
    }
    const report = await replayLog(folderOf(t, files));
    assert.ok(altered >= 3);
    assert.equal(report.divergences, altered);
  });
});
