/**
 * The recipe of the logs beside it: format version 1, recorded from two runs of a random world with gaps between.
 *
 *     node test/replay/histories/v1/make.ts
 *
 * They stand for what users have on their disks. If replay no longer reads them as `expected.json` says, it is replay
 * that is to be mended; they are made anew only as long as no release has written this version, and after a release a
 * change of what the core decides needs a new version with its own logs.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { replayLog } from '../../../../src/io/event-log/replay-log.ts';
import {
  busyWorld,
  type LogFiles,
  recordWorlds,
  resealed,
  withFile,
  withLines,
} from '../../../support/recorded-log.ts';

const HERE = import.meta.dirname;
const plain = recordWorlds([busyWorld(11, 70), busyWorld(12, 70)], {
  segmentBytes: 12_000,
  lose: { every: 50, count: 2 },
});
const names = [...plain.keys()];
const [first = '', second = '', third = ''] = names;
const last = names.at(-1) ?? '';

/** Segments as housekeeping leaves them: the old ones compressed. */
function packed(files: ReadonlyMap<string, string>): LogFiles {
  const rename = (name: string, text: string): [string, string | Uint8Array] => {
    if (name === first) return [`${name}.zst`, zstdCompressSync(text)];
    return name === third ? [`${name}.gz`, gzipSync(text)] : [name, text];
  };
  return new Map([...files].map(([name, text]) => rename(name, text)));
}

const histories: Record<string, LogFiles> = {
  faithful: packed(plain),
  /** One digit of a time, as a bad disk would leave it. */
  damaged: packed(
    withFile(plain, second, (text) =>
      withLines(text, (lines) => lines.with(9, (lines[9] ?? '').replace(/"at":(\d*)\d/, '"at":$1x'))),
    ),
  ),
  /** Another backend than the one that was selected, with a CRC that fits. */
  altered: packed(
    withFile(plain, last, (text) => {
      const at = text.split('\n').findIndex((line) => line.includes('"type":"backend.selected"'));
      const change = (line: string) => line.replace(/("backend\.selected".*?"backend":)"."/, '$1"x"');
      return withLines(text, (lines) => lines.with(at, resealed(lines[at] ?? '', change)));
    }),
  ),
};

const expected: Record<string, object> = {};
for (const [name, files] of Object.entries(histories)) {
  const folder = join(HERE, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [file, content] of files) writeFileSync(join(folder, file), content);
  const { firstTrouble, entries, decisions, divergences, gaps, stateHash, ...report } =
    await replayLog(folder);
  const [damage] = report.damage;
  expected[name] = {
    exitCode: firstTrouble === undefined ? 0 : firstTrouble === 'damage' ? 3 : 2,
    entries,
    decisions,
    divergences,
    gaps,
    stateHash,
    damage: damage === undefined ? null : { segment: damage.segment, line: damage.line, byte: damage.byte },
    firstDivergence: report.firstDivergence?.divergence.seq ?? null,
  };
}
writeFileSync(join(HERE, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`);
