/** Where a segment ends: behind the last of its lines that is whole, whatever a crash or a bad disk has left there. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { checkCrc } from './lines.ts';
import { ReadError, readChunks } from './reader-files.ts';
import type { SegmentName } from './segments.ts';

const NEWLINE = 0x0a;
const FIRST_WINDOW_BYTES = 256 * 1024;

export type PlainEnd = {
  readonly size: number;
  /** Behind the last good line; 0 if there is none. */
  readonly end: number;
  /** Of the last entry up to there; 0 if there is no line. */
  readonly lastSeq: number;
  /** Whether more than the beginning of one line stands behind that. */
  readonly isDamaged: boolean;
};

type Found = { readonly end: number; readonly lastSeq: number };
type Search = { readonly found: Found | undefined; readonly isDamaged: boolean };

/**
 * Looks from the end backwards, in growing windows, for the last line whose CRC is right.
 *
 * @param limit bytes behind which nothing is looked at
 */
export async function findEnd(path: string, limit: number): Promise<PlainEnd> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const last = Math.min(size, limit);
    for (let length = Math.min(FIRST_WINDOW_BYTES, last); ; length = Math.min(length * 4, last)) {
      const window = Buffer.alloc(length);
      const { bytesRead } = await handle.read(window, 0, length, last - length);
      if (bytesRead < length) throw new Error(`${path} became shorter while it was read`);
      const { found, isDamaged } = lastGoodLine(window, length === last);
      if (found !== undefined) return { ...found, size, end: last - length + found.end, isDamaged };
      // A header is shorter, so this is not the beginning of one.
      if (length === last)
        return { size, end: 0, lastSeq: 0, isDamaged: isDamaged || last > FIRST_WINDOW_BYTES };
    }
  } finally {
    await handle.close();
  }
}

/** @param isWhole whether the window begins with a line; else its first newline is taken for the end of one */
export function lastGoodLine(window: Buffer, isWhole: boolean): Search {
  let isDamaged = false;
  let end = window.lastIndexOf(NEWLINE);
  while (end > 0) {
    const before = window.lastIndexOf(NEWLINE, end - 1);
    if (before === -1 && !isWhole) break;
    const checked = checkCrc(window, before + 1, end);
    if (typeof checked !== 'string') {
      const lastSeq = seqAfter(`${window.toString('utf8', before + 1, checked.end)}}`);
      if (lastSeq !== undefined) return { found: { end: end + 1, lastSeq }, isDamaged };
    } else isDamaged = true;
    end = before;
  }
  return { found: undefined, isDamaged };
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

export type CompressedEnd = {
  /** Of the plain bytes that can be read. */
  readonly sha256: string;
  readonly lastSeq: number;
  /** False if it breaks off, or makes no sense from somewhere on. */
  readonly isWhole: boolean;
};

/**
 * A compressed segment was closed whole, with at least one entry; only its last line and its hash have to be found out.
 *
 * @throws the error of the file system where another attempt may go better
 */
export async function findCompressedEnd(path: string, segment: SegmentName): Promise<CompressedEnd> {
  const hash = createHash('sha256');
  let { seq: lastSeq } = segment;
  let isWhole = false;
  let begun = Buffer.alloc(0);
  try {
    for await (const chunk of readChunks({ compression: segment.compression, path }, () => undefined)) {
      hash.update(chunk);
      const joined = Buffer.concat([begun, chunk]);
      lastSeq = lastGoodLine(joined, true).found?.lastSeq ?? lastSeq;
      begun = joined.subarray(joined.lastIndexOf(NEWLINE) + 1);
      isWhole = begun.length === 0;
    }
  } catch (error) {
    if (!(error instanceof ReadError) || isOfTheSystem(error.cause)) throw error;
    isWhole = false;
  }
  return { sha256: hash.digest('hex'), lastSeq, isWhole };
}

/** Such as too many open files. A bad spot of the disk stays one, as bytes do that cannot be decompressed. */
function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && !('code' in error && error.code === 'EIO');
}
