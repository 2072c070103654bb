/**
 * Reads an event log, a folder of segments or one of them, line by line, with everything checked that can be checked
 * without replaying it: the CRC of each line, the order of lines, and the chain of hashes from segment to segment.
 * Memory stays flat whatever the length of the log.
 *
 * One thing cannot be seen: whole lines cut off the very end of the last segment look like a log that ended there.
 */
import { createHash } from 'node:crypto';
import type { LogLine, SegmentLine } from '../../actors/log-lines.ts';
import { findSegments, ReadError, readChunks, type SegmentFile } from './reader-files.ts';
import { createLineSplitter, type FoundLine, type Place } from './reader-lines.ts';
import {
  beginSegment,
  createTrust,
  type Damage,
  distrust,
  endLog,
  endSegment,
  judgeLine,
  type Trust,
} from './reader-trust.ts';

export type { Damage, Place };

export type LogItem = {
  readonly place: Place;
  readonly line: LogLine;
  /** The text of the line without its CRC and the closing brace, for comparing without making it again. */
  readonly covered: string;
  /**
   * False for a snapshot that what was read before does not lead to, so that its state is to be loaded, not compared: the
   * first one, one behind a gap or damage, and that of a new run of the gateway.
   */
  readonly continuous: boolean;
};

export type ReadOptions = {
  /** Called before the first item behind the damage is handed out, or at the end; all before it were handed out. */
  onDamage(damage: Damage): void;
  /** Bytes as they lie on disk. */
  onProgress?(bytesDone: number, bytesTotal: number): void;
  /** Which of the segments to read, all without it; given all, oldest first. */
  choose?(segments: readonly SegmentFile[]): Promise<readonly SegmentFile[]>;
};

/**
 * Batches of lines in order. Lines that cannot be trusted are not among them: after damage it goes on at the next
 * snapshot that fits its own hash.
 *
 * @param path a folder of segments, or one segment, plain or compressed
 * @throws LogRefusedError if there is no log, or a later Reprise wrote it in a format this one does not know
 */
export async function* readLog(path: string, options: ReadOptions): AsyncGenerator<readonly LogItem[]> {
  const found = await findSegments(path);
  const segments = (await options.choose?.(found)) ?? found;
  const bytesTotal = segments.reduce((total, { size }) => total + size, 0);
  let bytesDone = 0;
  const trust = createTrust(options.onDamage);
  const onRead = (bytes: number) => {
    bytesDone += bytes;
    options.onProgress?.(bytesDone, bytesTotal);
  };
  for (const segment of segments) {
    yield* readSegment(segment, { trust, onRead, isLast: segment === segments.at(-1) });
  }
  endLog(trust);
}

type Reading = {
  readonly trust: Trust;
  readonly isLast: boolean;
  onRead(bytes: number): void;
};

/** Batches of the usable lines of one segment, from its beginning to its end. */
export async function* readSegment(
  segment: SegmentFile,
  { trust, isLast, onRead }: Reading,
): AsyncGenerator<LogItem[]> {
  const splitter = createLineSplitter(segment.file);
  const digest = createHash('sha256');
  beginSegment(trust, segment);
  try {
    for await (const chunk of readChunks(segment, onRead)) {
      digest.update(chunk);
      yield* judgeLines(splitter.push(chunk), trust);
    }
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    distrust(trust, splitter.rest().place, `the file cannot be read any further: ${error.message}`);
  }
  endSegment(trust, splitter.rest(), digest.digest('hex'), isLast);
}

/** The usable ones. A batch ends where trust does, so that damage is reported in its place among them. */
export function* judgeLines(found: readonly FoundLine[], trust: Trust): Generator<LogItem[]> {
  let batch: LogItem[] = [];
  for (const each of found) {
    const verdict = judgeLine(trust, each);
    if (verdict.use && each.line !== undefined) {
      const { place, line, covered } = each;
      batch.push({ place, line, covered, continuous: verdict.continuous });
    } else if (!verdict.use && verdict.damaged && batch.length > 0) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** @returns the first line of a segment if it is a header */
export async function readHeader(segment: SegmentFile): Promise<SegmentLine | undefined> {
  const splitter = createLineSplitter(segment.file);
  try {
    for await (const chunk of readChunks(segment, () => undefined)) {
      const [first] = splitter.push(chunk);
      if (first === undefined) continue;
      const { line } = first;
      return line !== undefined && 'type' in line && line.type === 'segment' ? line : undefined;
    }
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
  }
  return undefined;
}
