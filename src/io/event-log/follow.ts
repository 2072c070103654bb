/**
 * Reads the log of a gateway that runs, and goes on as it grows. Segments are closed, compressed and removed meanwhile; of
 * the one that is written only whole lines are taken, since the rest of a line may yet come, or be taken back.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { judgeLines, type LogItem, type ReadOptions, readSegment } from './reader.ts';
import { findSegments, LogRefusedError, type SegmentFile } from './reader-files.ts';
import { createLineSplitter } from './reader-lines.ts';
import { beginSegment, createTrust, endSegment, type Trust } from './reader-trust.ts';
import { listSegments, type SegmentName } from './segments.ts';

export type FollowOptions = Pick<ReadOptions, 'onDamage'> & {
  /** Bytes read, and bytes on the disk. */
  onProgress(bytesDone: number, bytesTotal: number): void;
  /** The segments there are now, oldest first; told after each look at the folder. */
  onListed(segments: readonly SegmentName[]): void;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** From one look at the end of the log to the next. */
  readonly pollMs?: number;
};

const POLL_MS = 100;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;
/** No line that Reprise writes comes near. */
const MAX_CHUNK_BYTES = 128 * 1024 * 1024;

/**
 * Batches of lines in order, as `readLog` gives them; it ends with the signal only.
 *
 * @param dir the folder of the log, which may be empty still
 * @throws LogRefusedError if a later Reprise wrote the log
 */
export async function* followLog(dir: string, options: FollowOptions): AsyncGenerator<readonly LogItem[]> {
  const { signal, pollMs = POLL_MS } = options;
  const trust = createTrust(options.onDamage);
  let last = -1;
  let bytesDone = 0;
  while (!signal.aborted) {
    const segments = await segmentsOf(dir);
    const bytesTotal = bytesDone + bytesBehind(segments, last);
    const onRead = (bytes: number) => {
      bytesDone += bytes;
      options.onProgress(bytesDone, Math.max(bytesTotal, bytesDone));
    };
    options.onProgress(bytesDone, bytesTotal);
    options.onListed(await namesIn(dir));
    const next = segments.find(({ seq = 0 }) => seq > last);
    if (next === undefined) await pause(pollMs, signal);
    else {
      const onEnd = () => options.onProgress(bytesDone, bytesDone);
      const reading = { trust, onRead, onEnd, signal, pollMs, isLast: false };
      const handle = await openPlain(next);
      if (handle === undefined) yield* readSegment(next, reading);
      else yield* readGrowing(next, handle, { ...reading, dir, onListed: options.onListed });
      last = next.seq ?? last;
    }
  }
}

/** A folder that is not there yet is as good as an empty one. */
async function segmentsOf(dir: string): Promise<readonly SegmentFile[]> {
  try {
    return await findSegments(dir);
  } catch (error) {
    // Between the listing and the look at each file, one may have been compressed or removed, too.
    if (error instanceof LogRefusedError) return [];
    throw error;
  }
}

function bytesBehind(segments: readonly SegmentFile[], last: number): number {
  return segments.reduce((sum, { seq = 0, size }) => sum + (seq > last ? size : 0), 0);
}

/** @returns undefined if it is compressed, or is so by now */
async function openPlain({ path, compression }: SegmentFile): Promise<FileHandle | undefined> {
  if (compression !== 'none') return undefined;
  try {
    return await open(path);
  } catch {
    return undefined;
  }
}

type Growing = {
  readonly trust: Trust;
  readonly signal: AbortSignal;
  readonly pollMs: number;
  readonly dir: string;
  onRead(bytes: number): void;
  /** All whole lines have been read. */
  onEnd(): void;
  onListed(segments: readonly SegmentName[]): void;
};

async function* readGrowing(
  segment: SegmentFile,
  handle: FileHandle,
  { trust, signal, pollMs, dir, onRead, onEnd, onListed }: Growing,
): AsyncGenerator<readonly LogItem[]> {
  const splitter = createLineSplitter(segment.file);
  const digest = createHash('sha256');
  const reader = createLineReader(handle);
  beginSegment(trust, segment);
  try {
    for (;;) {
      // In this order: once the next one is there, nothing is added to this one any more.
      const names = await namesIn(dir);
      const isClosed = names.some(({ seq }) => seq > (segment.seq ?? 0));
      for (let lines = await reader.next(); lines !== undefined; lines = await reader.next()) {
        digest.update(lines);
        onRead(lines.length);
        yield* judgeLines(splitter.push(lines), trust);
        if (signal.aborted) return;
      }
      if (isClosed) break;
      onEnd();
      onListed(names);
      await pause(pollMs, signal);
      if (signal.aborted) return;
    }
    const rest = { place: splitter.rest().place, bytes: await reader.rest() };
    endSegment(trust, rest, digest.digest('hex'), false);
  } finally {
    await handle.close();
  }
}

/** Reads whole lines, as many as are there. */
function createLineReader(handle: FileHandle) {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = 0;
  return {
    /** @returns undefined if there is no further whole line; good until the next call */
    async next(): Promise<Buffer | undefined> {
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
        const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
        position += end;
        if (end > 0) return buffer.subarray(0, end);
        if (bytesRead < buffer.length || buffer.length >= MAX_CHUNK_BYTES) return undefined;
        buffer = Buffer.allocUnsafe(buffer.length * 2);
      }
    },
    /** Bytes of a line without an end. */
    async rest(): Promise<number> {
      const { size } = await handle.stat();
      return Math.max(0, size - position);
    },
  };
}

function namesIn(dir: string): Promise<readonly SegmentName[]> {
  return listSegments(dir).catch(() => []);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
