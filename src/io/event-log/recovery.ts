/**
 * Makes the end of a log good again, after a crash or a failed write: what stands behind the last whole line is cut
 * off, and a segment without any entry is removed. Damage further up is left as it is, for replay to report.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilePort } from './files.ts';
import { checkCrc } from './lines.ts';
import { readChunks } from './reader-files.ts';
import { listSegments, type SegmentName } from './segments.ts';

export type LogEnd = {
  /** The last segment, as the header of the next one names it; null if there is none. */
  readonly previous: { readonly name: string; readonly sha256: string } | null;
  /** Of the last entry there is; 0 if there is none. */
  readonly lastSeq: number;
  readonly cutBytes: number;
};

/** Bytes of a segment behind which nothing is to be believed, since the disk failed to confirm them. */
export type Doubt = { readonly name: string; readonly syncedBytes: number };

const NEWLINE = 0x0a;
const FIRST_WINDOW_BYTES = 256 * 1024;

export type RecoveryHints = {
  readonly doubt: Doubt | undefined;
  /** The end as it was found before, if nothing but a further segment can have come since. */
  readonly known: LogEnd | undefined;
};

/** @throws whatever the file system throws; it may be called again then */
export async function recoverEnd(
  files: FilePort,
  folder: string,
  { doubt, known }: RecoveryHints,
): Promise<LogEnd> {
  await removeLeftovers(folder);
  let cutBytes = 0;
  for (const segment of (await listSegments(folder)).reverse()) {
    if (known?.previous?.name === segment.name) return { ...known, cutBytes };
    const path = join(folder, segment.file);
    if (segment.compression !== 'none') return { ...(await readCompressed(path, segment)), cutBytes };
    const limit = doubt?.name === segment.name ? doubt.syncedBytes : Infinity;
    const { size, end, lastSeq } = await findEnd(path, limit);
    cutBytes += size - end;
    if (lastSeq >= segment.seq) {
      if (end < size) await cut(files, path, end);
      return { previous: { name: segment.name, sha256: await hashOf(path) }, lastSeq, cutBytes };
    }
    // Not a line can be read of what is more than the beginning of one: kept aside, for people to look at.
    if (end === 0 && size > FIRST_WINDOW_BYTES) await rename(path, `${path}.damaged`);
    else await files.remove(path);
  }
  return { previous: null, lastSeq: 0, cutBytes };
}

/** What a compression or a broken lock has left behind. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (/^(?:events-|reprise\.lock\.).*\.tmp$/.test(file)) await unlink(join(folder, file));
  }
}

async function cut(files: FilePort, path: string, bytes: number): Promise<void> {
  const file = await files.open(path);
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Looks from the end backwards, in growing windows, for the last line whose CRC is right. */
async function findEnd(path: string, limit: number): Promise<{ size: number; end: number; lastSeq: number }> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const last = Math.min(size, limit);
    for (let length = Math.min(FIRST_WINDOW_BYTES, last); ; length = Math.min(length * 4, last)) {
      const window = Buffer.alloc(length);
      const { bytesRead } = await handle.read(window, 0, length, last - length);
      if (bytesRead < length) throw new Error(`${path} became shorter while it was read`);
      const found = lastGoodLine(window, length === last);
      if (found !== undefined) return { size, end: last - length + found.end, lastSeq: found.lastSeq };
      if (length === last) return { size, end: 0, lastSeq: 0 };
    }
  } finally {
    await handle.close();
  }
}

/** @param isWhole whether the window begins with a line; else its first newline is taken for the end of one */
function lastGoodLine(window: Buffer, isWhole: boolean): { end: number; lastSeq: number } | undefined {
  let end = window.lastIndexOf(NEWLINE);
  while (end > 0) {
    const before = window.lastIndexOf(NEWLINE, end - 1);
    if (before === -1 && !isWhole) return undefined;
    const checked = checkCrc(window, before + 1, end);
    if (typeof checked === 'number') {
      const lastSeq = seqAfter(`${window.toString('utf8', before + 1, checked)}}`);
      if (lastSeq !== undefined) return { end: end + 1, lastSeq };
    }
    end = before;
  }
  return undefined;
}

/** The number of the last entry up to this line; undefined for what cannot be the last line of a log. */
function seqAfter(json: string): number | undefined {
  const line: unknown = JSON.parse(json);
  if (typeof line !== 'object' || line === null || !('seq' in line) || typeof line.seq !== 'number') {
    return undefined;
  }
  if (!('type' in line)) return line.seq;
  // A gap is of no use without the snapshot behind it.
  if (line.type === 'log.gap') return undefined;
  return line.type === 'segment' ? line.seq - 1 : line.seq;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: FIRST_WINDOW_BYTES })) hash.update(chunk);
  return hash.digest('hex');
}

/** A compressed segment was closed whole; only its last line and its hash have to be found out. */
async function readCompressed(path: string, segment: SegmentName): Promise<Omit<LogEnd, 'cutBytes'>> {
  const hash = createHash('sha256');
  let tail = Buffer.alloc(0);
  for await (const chunk of readChunks({ compression: segment.compression, path }, () => undefined)) {
    hash.update(chunk);
    const joined = Buffer.concat([tail, chunk]);
    const start = joined.lastIndexOf(NEWLINE, joined.lastIndexOf(NEWLINE) - 1);
    tail = joined.subarray(start + 1);
  }
  const lastSeq = lastGoodLine(tail, true)?.lastSeq ?? segment.seq;
  return { previous: { name: segment.name, sha256: hash.digest('hex') }, lastSeq };
}
