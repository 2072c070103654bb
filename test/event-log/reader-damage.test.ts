/** What the reader of a log calls damage, where it says that it is, and where it finds its feet again. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Damage } from '../../src/io/event-log/reader.ts';
import {
  busyWorld,
  firstSeq,
  folderOf,
  type Reading,
  readAll,
  recordWorlds,
  resealed,
  withFile,
  withLines,
} from '../support/recorded-log.ts';

const GOOD = recordWorlds([busyWorld(1, 150)]);
const [FIRST = '', SECOND = '', THIRD = ''] = [...GOOD.keys()];
const LAST = [...GOOD.keys()].at(-1) ?? '';

/** The one damage there is, without the position. */
function only({ damage }: Reading): Damage {
  const [first] = damage;
  assert.ok(first !== undefined && damage.length === 1, JSON.stringify(damage));
  return first;
}

describe('damage', () => {
  test('in a line is reported with its place, and reading goes on at the next snapshot', async (t) => {
    const files = withFile(GOOD, SECOND, (text) =>
      withLines(text, (lines) => lines.map((line, index) => (index === 5 ? line.replace('1', '2') : line))),
    );
    const outcome = await readAll(folderOf(t, files));
    const damage = only(outcome);
    const text = GOOD.get(SECOND) ?? '';
    assert.deepEqual([damage.segment, damage.line], [SECOND, 6]);
    assert.equal(damage.byte, text.split('\n').slice(0, 5).join('\n').length + 1);
    assert.match(damage.problem, /the line was altered: its CRC is \d+, not the \d+ it carries/);
    assert.match(
      damage.readable,
      new RegExp(`^everything up to entry \\d+, and again from .*${THIRD}, line 2\\)$`),
    );
    assert.ok(outcome.seqs.includes(firstSeq(THIRD)));
    assert.ok(!outcome.seqs.includes(firstSeq(THIRD) - 1));
  });

  const orders: [string, RegExp, (lines: string[]) => string[]][] = [
    ['a deleted line', /is missing|before it/, (lines) => lines.toSpliced(6, 1)],
    ['a repeated line', /again|before it|in the middle/, (lines) => lines.toSpliced(6, 0, lines[6] ?? '')],
    [
      'a swapped pair of lines',
      /is missing|again|before it/,
      (lines) => lines.toSpliced(6, 2, lines[7] ?? '', lines[6] ?? ''),
    ],
    ['a missing header', /does not begin with its header/, (lines) => lines.slice(1)],
    ['a missing snapshot', /where a snapshot should/, (lines) => lines.toSpliced(1, 1)],
    ['an empty line', /not complete/, (lines) => lines.toSpliced(6, 0, '')],
    ['a line of another program', /not complete/, (lines) => lines.toSpliced(6, 0, '{"hello":"world"}')],
    [
      'a header that lacks its chain',
      /the header is not complete/,
      ([header = '', ...rest]) => [
        resealed(header, (text) => text.replace(/"previous":.*?(,"config")/, '"previous":7$1')),
        ...rest,
      ],
    ],
    [
      'a line of an unknown kind',
      /of a kind that this Reprise does not know/,
      (lines) =>
        lines.toSpliced(
          6,
          0,
          resealed('{"v":1,"type":"x","seq":1,"at":1,"n":7,"crc":0}', (text) => text),
        ),
    ],
  ];
  test('such as a missing or repeated line of another kind than an entry is told by its number', async (t) => {
    const lines = (GOOD.get(SECOND) ?? '').split('\n').slice(0, -1);
    const at = lines.findIndex((line) => line.includes('"type":"checkpoint"'));
    const checkpoint = lines[at] ?? '';
    const unnumbered = checkpoint.replace(/,"n":.*/, '');
    for (const [altered, problem] of [
      [lines.toSpliced(at, 1), `line ${at + 1} is missing in the segment: ${at} is followed by ${at + 2}`],
      [
        lines.toSpliced(at, 0, checkpoint),
        `line ${at + 1} of the segment stands here again, after ${at + 1}`,
      ],
      [lines.with(at, `${unnumbered},"crc":${crc32(unnumbered)}}`), 'the line has no number'],
    ] as const) {
      const files = withFile(GOOD, SECOND, () => altered.map((line) => `${line}\n`).join(''));
      const { problem: found } = (await readAll(folderOf(t, files))).damage[0] ?? { problem: '' };
      assert.ok(found.startsWith(problem), found);
    }
  });

  for (const [name, problem, change] of orders) {
    test(`such as ${name} is reported where it is`, async (t) => {
      for (const segment of [FIRST, SECOND, LAST]) {
        const files = withFile(GOOD, segment, (text) => withLines(text, change));
        const damage = (await readAll(folderOf(t, files))).damage[0];
        assert.equal(damage?.segment, segment);
        assert.ok(damage.line <= 8, String(damage.line));
        assert.match(damage.problem, problem);
      }
    });
  }

  test('such as a segment that lost whole lines at its end shows in the header of the next', async (t) => {
    const files = withFile(GOOD, SECOND, (text) => withLines(text, (lines) => lines.slice(0, -1)));
    const { segment, line, problem } = only(await readAll(folderOf(t, files)));
    assert.deepEqual([segment, line], [THIRD, 1]);
    assert.match(problem, new RegExp(`${SECOND}, was altered or cut: its SHA-256 is [0-9a-f]{64}, not `));
  });

  test('such as a line altered together with its CRC shows in the header of the next segment', async (t) => {
    const files = withFile(GOOD, SECOND, (text) =>
      withLines(text, (lines) => [...lines.slice(0, -1), resealed(lines.at(-1) ?? '', (line) => `${line} `)]),
    );
    const damage = only(await readAll(folderOf(t, files)));
    assert.deepEqual([damage.segment, damage.line], [THIRD, 1]);
  });

  test('such as a missing segment is named', async (t) => {
    const { segment, problem } = only(
      await readAll(
        folderOf(
          t,
          withFile(GOOD, SECOND, () => undefined),
        ),
      ),
    );
    assert.equal(segment, THIRD);
    assert.ok(problem.startsWith('the segment before it is missing'), problem);
    assert.ok(problem.includes(SECOND), problem);
  });

  test('such as a segment under the name of another is reported', async (t) => {
    const files = withFile(GOOD, SECOND, () => GOOD.get(THIRD));
    const { damage } = await readAll(folderOf(t, files));
    assert.equal(damage[0]?.segment, SECOND);
    assert.match(damage[0]?.problem ?? '', /the header says that the segment begins at/);
  });

  test('such as an empty file is reported, last or not', async (t) => {
    const last = only(
      await readAll(
        folderOf(
          t,
          withFile(GOOD, LAST, () => ''),
        ),
      ),
    );
    assert.deepEqual([last.segment, last.problem], [LAST, 'the segment is empty, as after a crash']);
    const inside = only(
      await readAll(
        folderOf(
          t,
          withFile(GOOD, SECOND, () => ''),
        ),
      ),
    );
    assert.deepEqual([inside.segment, inside.problem], [SECOND, 'the segment is empty']);
  });

  test('such as binary rubbish is reported, and nothing of it is read', async (t) => {
    const rubbish = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 197) % 251));
    const folder = folderOf(t, new Map([[FIRST, rubbish]]));
    const outcome = await readAll(folder);
    assert.deepEqual(outcome.items, []);
    assert.equal(only(outcome).readable, 'nothing before it, and nothing after it');
  });

  test('such as a torn last line is what a crash leaves, and its bytes are counted', async (t) => {
    const outcome = await readAll(
      folderOf(
        t,
        withFile(GOOD, LAST, (text) => text.slice(0, -20)),
      ),
    );
    const { problem, tornBytes } = only(outcome);
    assert.match(problem, /^the last line is not complete, as after a crash: \d+ bytes without an end$/);
    assert.ok(tornBytes > 0);
  });

  test('such as a torn line in an earlier segment is no crash', async (t) => {
    const { problem, tornBytes } = only(
      await readAll(
        folderOf(
          t,
          withFile(GOOD, SECOND, (text) => text.slice(0, -20)),
        ),
      ),
    );
    assert.doesNotMatch(problem, /crash/);
    assert.equal(tornBytes, 0);
  });

  test('such as a line without an end is bounded in memory', async (t) => {
    const folder = folderOf(t, new Map([[FIRST, '']]));
    writeFileSync(join(folder, FIRST), Buffer.alloc(65 * 1024 * 1024 + 1, 0x20));
    writeFileSync(join(folder, FIRST), `\n${GOOD.get(FIRST)?.split('\n').slice(1).join('\n')}`, {
      flag: 'a',
    });
    const outcome = await readAll(folder);
    assert.equal(only(outcome).problem, 'the line is longer than 64 MiB');
    assert.equal(outcome.seqs[0], 1);
  });

  test('such as a compressed segment that is cut or altered is reported', async (t) => {
    for (const [name, packed] of [
      [`${SECOND}.zst`, zstdCompressSync(GOOD.get(SECOND) ?? '')],
      [`${SECOND}.gz`, gzipSync(GOOD.get(SECOND) ?? '')],
    ] as const) {
      const middle = packed.length >> 1;
      const altered = Buffer.from(packed);
      altered[middle] = (altered[middle] ?? 0) ^ 0x10;
      for (const content of [packed.subarray(0, middle), packed.subarray(0, -4), altered]) {
        const files = new Map<string, string | Uint8Array>([
          ...withFile(GOOD, SECOND, () => undefined),
          [name, content],
        ]);
        const { damage } = await readAll(folderOf(t, files));
        assert.ok(damage.length >= 1, `${name} with ${content.length} of ${packed.length} bytes`);
        assert.ok([name, THIRD].includes(damage[0]?.segment ?? ''));
      }
    }
  });

  test('such as two separate ones are both reported', async (t) => {
    const cutLine = (text: string) => withLines(text, (lines) => lines.toSpliced(3, 1));
    const files = withFile(withFile(GOOD, FIRST, cutLine), THIRD, cutLine);
    const { damage } = await readAll(folderOf(t, files));
    assert.deepEqual(
      damage.map(({ segment }) => segment),
      [FIRST, THIRD],
    );
  });

  test('such as a folder under the name of a segment is reported', async (t) => {
    const folder = folderOf(
      t,
      withFile(GOOD, SECOND, () => undefined),
    );
    mkdirSync(join(folder, SECOND));
    const { damage } = await readAll(folder);
    assert.equal(damage[0]?.segment, SECOND);
    assert.match(damage[0]?.problem ?? '', /cannot be read any further/);
  });
});
