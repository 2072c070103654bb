/**
 * A disk of a simulated world with the segments of an event log on it: it fills, breaks, refuses new files, forgets what
 * it has not confirmed, and is slow. What it holds after a failure is found as the daemon's recovery finds it: by the last
 * line that is whole.
 */
import { lastGoodLine } from '../src/io/event-log/segment-end.ts';
import { between, type Draw, oneOf, spread } from './draw.ts';

export class DiskError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export type StoredSegment = {
  /** The number of its first entry, which is its name. */
  readonly seq: number;
  /** What was written, piece by piece. */
  pieces: Buffer[];
  size: number;
  syncedBytes: number;
};

type Trouble = 'full' | 'broken' | 'noNewFile' | 'unconfirmed';

const TROUBLES = ['full', 'full', 'broken', 'noNewFile', 'unconfirmed'] as const satisfies Trouble[];

export class SimulatedDisk {
  readonly segments: StoredSegment[] = [];
  readonly #draw: Draw;
  #trouble: Trouble | undefined;
  /** Operations until the trouble ends. */
  #left = 0;
  #isCalm = false;
  /** After a sync has failed the next one may succeed though bytes were lost, so nothing after `syncedBytes` is trusted. */
  #doubt: { readonly segment: StoredSegment; readonly syncedBytes: number } | undefined;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  /** From now on all is well. */
  calm(): void {
    this.#isCalm = true;
    this.#trouble = undefined;
  }

  /** One kind of trouble begins, and lasts for some operations. */
  beginTrouble(): void {
    if (this.#isCalm) return;
    this.#trouble = oneOf(this.#draw, TROUBLES);
    this.#left = between(this.#draw, 1, 12);
  }

  /** How long the next operation takes. */
  delayMs(): number {
    if (this.#isCalm || this.#draw() < 0.9) return between(this.#draw, 0, 3);
    return spread(this.#draw, 5, 5_000);
  }

  /** Creates a segment, which must not be there yet. */
  create(seq: number): StoredSegment {
    this.#countDown();
    if (this.#trouble === 'noNewFile') throw new DiskError('EMFILE');
    if (this.segments.some((other) => other.seq === seq)) throw new DiskError('EEXIST');
    const segment: StoredSegment = { seq, pieces: [], size: 0, syncedBytes: 0 };
    this.segments.push(segment);
    return segment;
  }

  /** Writes at the end; a disk that is full takes what fits, and then fails. */
  write(segment: StoredSegment, bytes: Buffer): void {
    this.#countDown();
    if (this.#trouble !== 'full' && this.#trouble !== 'broken') {
      append(segment, bytes);
      return;
    }
    // Part of it, nearly all, or all of it is written; the recorder learns which only when it recovers.
    const least = oneOf(this.#draw, [0, Math.max(0, bytes.length - 300), bytes.length]);
    append(segment, bytes.subarray(0, between(this.#draw, least, bytes.length)));
    throw new DiskError(this.#trouble === 'full' ? 'ENOSPC' : 'EIO');
  }

  sync(segment: StoredSegment): void {
    this.#countDown();
    if (this.#trouble === 'broken' || this.#trouble === 'unconfirmed') {
      this.#doubt = { segment, syncedBytes: segment.syncedBytes };
      throw new DiskError('EIO');
    }
    segment.syncedBytes = segment.size;
  }

  /** Cuts off what is not whole at the end of the log. @returns the number of the last entry there is */
  recover(): number {
    this.#countDown();
    if (this.#trouble === 'broken') throw new DiskError('EIO');
    // What is written next is the mark of a gap: a failure there is the hardest to count right.
    if (this.#draw() < 0.3) this.beginTrouble();
    for (let last = this.segments.at(-1); last !== undefined; last = this.segments.at(-1)) {
      const limit = this.#doubt?.segment === last ? this.#doubt.syncedBytes : last.size;
      const bytes = bytesOfSegment(last);
      const { found } = lastGoodLine(bytes.subarray(0, limit), true);
      if (found !== undefined && found.lastSeq >= last.seq) {
        last.pieces = [bytes.subarray(0, found.end)];
        last.size = found.end;
        last.syncedBytes = found.end;
        this.#doubt = undefined;
        return found.lastSeq;
      }
      this.segments.pop();
    }
    this.#doubt = undefined;
    return 0;
  }

  #countDown(): void {
    if (this.#trouble === undefined) return;
    this.#left -= 1;
    if (this.#left < 0) this.#trouble = undefined;
  }
}

function append(segment: StoredSegment, bytes: Buffer): void {
  segment.pieces.push(bytes);
  segment.size += bytes.length;
}

export function bytesOfSegment({ pieces }: StoredSegment): Buffer {
  return Buffer.concat(pieces);
}
