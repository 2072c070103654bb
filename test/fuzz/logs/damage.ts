/** Damage of every kind that disks, file systems, copies and people do to the files of a log; a few kinds at a time. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { busyWorld, recordWorlds } from '../../support/recorded-log.ts';
import type { Draw } from '../random.ts';

export type Files = Map<string, Buffer>;

/** Good logs to choose from, each with its segments. */
const GOOD = [
  recordWorlds([busyWorld(1, 150)], { segmentBytes: 6_000 }),
  recordWorlds([busyWorld(2, 60), busyWorld(3, 60)], { segmentBytes: 8_000 }),
  recordWorlds([busyWorld(4, 150)], { segmentBytes: 9_000, lose: { every: 37, count: 3 } }),
];

/** A good log, some of it maybe compressed, and the same with damage. */
export function damagedLog(draw: Draw): { good: Files; damaged: Files; what: string } {
  const good: Files = new Map();
  const packing = draw.int(0, 2);
  for (const [index, [name, text]] of [...draw.pick(GOOD)].entries()) {
    if (packing === 0 || index >= 2) good.set(name, Buffer.from(text));
    else if (packing === 1) good.set(`${name}.zst`, zstdCompressSync(text));
    else good.set(`${name}.gz`, gzipSync(text));
  }
  const damaged = new Map(good);
  const kinds = Array.from({ length: draw.int(1, 3) }, () => draw.pick(DAMAGES));
  for (const { make } of kinds) make(damaged, draw);
  return { good, damaged, what: kinds.map(({ name }) => name).join(', ') };
}

type Kind = { readonly name: string; readonly make: (files: Files, draw: Draw) => void };

/** Damage within one file, by its bytes. */
function bytes(name: string, change: (content: Buffer, draw: Draw) => Buffer): Kind {
  return {
    name,
    make(files, draw) {
      if (files.size === 0) return;
      const file = draw.pick([...files.keys()]);
      files.set(file, change(Buffer.from(files.get(file) ?? []), draw));
    },
  };
}

/** Damage within one file, by its lines; those that are compressed have none. */
function lines(name: string, change: (all: string[], draw: Draw) => string[]): Kind {
  return bytes(name, (content, draw) => {
    const all = content.toString('latin1').split('\n');
    return Buffer.from(change(all, draw).join('\n'), 'latin1');
  });
}

const place = ({ int }: Draw, { length }: { readonly length: number }) => int(0, Math.max(0, length - 1));

const DAMAGES: readonly Kind[] = [
  bytes('a flipped bit', (content, draw) => {
    const at = place(draw, content);
    if (at < content.length) content[at] = (content[at] ?? 0) ^ (1 << draw.int(0, 7));
    return content;
  }),
  bytes('a cut end', (content, draw) => content.subarray(0, place(draw, content))),
  bytes('a cut beginning', (content, draw) => content.subarray(place(draw, content))),
  bytes('a hole', (content, draw) => {
    const at = place(draw, content);
    return Buffer.concat([content.subarray(0, at), content.subarray(at + draw.int(1, 600))]);
  }),
  bytes('zeros', (content, draw) => content.fill(0, place(draw, content)).fill(0, place(draw, content))),
  bytes('a block of zeros', (content, draw) => {
    const at = place(draw, content);
    return content.fill(0, at, Math.min(content.length, at + draw.int(1, 600)));
  }),
  bytes('foreign bytes', (content, draw) => {
    const at = place(draw, content);
    const foreign = Buffer.from(draw.bytes(draw.int(1, 200)), 'latin1');
    return Buffer.concat([content.subarray(0, at), foreign, content.subarray(at)]);
  }),
  bytes('a piece twice', (content, draw) => {
    const at = place(draw, content);
    return Buffer.concat([content.subarray(0, at), content.subarray(at - Math.min(at, draw.int(1, 900)))]);
  }),
  bytes('nothing left', () => Buffer.alloc(0)),
  bytes('a line without end', (content) => Buffer.concat([content, Buffer.alloc(100_000, 'x')])),
  lines('a missing line', (all, draw) => all.toSpliced(place(draw, all), 1)),
  lines('a line twice', (all, draw) => {
    const at = place(draw, all);
    return all.toSpliced(at, 0, all[at] ?? '');
  }),
  lines('two lines swapped', (all, draw) => {
    const [a, b] = [place(draw, all), place(draw, all)];
    return all.with(a, all[b] ?? '').with(b, all[a] ?? '');
  }),
  lines('ends of lines of another system', (all) => all.map((line) => (line === '' ? line : `${line}\r`))),
  lines('a damaged snapshot', (all, draw) =>
    all.map((line, index) => (index === 1 ? line.replace(/\d/, String(draw.int(0, 9))) : line)),
  ),
  lines('a missing snapshot', (all) => all.toSpliced(1, 1)),
  {
    name: 'a missing segment',
    make: (files, draw) => void (files.size > 0 && files.delete(draw.pick([...files.keys()]))),
  },
  {
    name: 'a segment twice',
    make(files, draw) {
      if (files.size === 0) return;
      const content = files.get(draw.pick([...files.keys()])) ?? Buffer.alloc(0);
      files.set(`events-${String(draw.int(1, 400)).padStart(16, '0')}.ndjson`, content);
    },
  },
  {
    name: 'segments swapped',
    make(files, draw) {
      if (files.size === 0) return;
      const [a, b] = [draw.pick([...files.keys()]), draw.pick([...files.keys()])];
      const content = files.get(a) ?? Buffer.alloc(0);
      files.set(a, files.get(b) ?? content).set(b, content);
    },
  },
  {
    name: 'a segment of another log',
    make(files, draw) {
      if (files.size === 0) return;
      const other = draw.pick([...draw.pick(GOOD).values()]);
      files.set(draw.pick([...files.keys()]), Buffer.from(other));
    },
  },
  {
    name: 'files that are none of the log',
    make: (files, draw) =>
      void files.set(
        draw.pick([
          'notes.txt',
          'events-1.ndjson',
          'events-x.ndjson',
          '.events.lock',
          'events-0000000000000001.ndjson.bak',
        ]),
        Buffer.from(draw.bytes(50), 'latin1'),
      ),
  },
];
