/**
 * Records a simulated run on a simulated disk: the real backlog (`src/io/event-log/backlog.ts`), written in virtual time as
 * `recording.ts` writes it: many entries at a time, synced now and then, and after a failure tried again until it works.
 */
import type { Entry } from '../src/actors/events.ts';
import type { CoreSnapshot } from '../src/actors/snapshot.ts';
import {
  addEntry,
  type Backlog,
  beginBehind,
  createBacklog,
  dropAll,
  giveOutSeq,
  goOn,
  isEmpty,
  lossesOf,
  noteWritten,
  type Part,
  settle,
  takeParts,
} from '../src/io/event-log/backlog.ts';
import { bytesOf } from '../src/io/event-log/chunks.ts';
import { encodeLine } from '../src/io/event-log/lines.ts';
import { DiskError, type SimulatedDisk, type StoredSegment } from './disk.ts';
import { between, chance, type Draw, spread } from './draw.ts';
import type { Plan, Timeline } from './timeline.ts';

type RecorderOptions = {
  readonly disk: SimulatedDisk;
  readonly draw: Draw;
  readonly timeline: Timeline;
  readonly snapshot: () => CoreSnapshot;
};

const RETRY_MS = 1_000;

export class Recorder {
  readonly backlog: Backlog;
  readonly #options: RecorderOptions;
  readonly #groupCommitMs: number;
  readonly #syncIntervalMs: number;
  #segment: StoredSegment | undefined;
  #writtenSeq = 0;
  #failure: string | undefined;
  /** What goes on at the disk, or waits for its time: one thing at a time. */
  #plan: Plan | undefined;
  #syncedAt = 0;

  constructor(options: RecorderOptions) {
    const { draw, timeline, snapshot } = options;
    this.#options = options;
    this.#groupCommitMs = spread(draw, 1, 200);
    this.#syncIntervalMs = spread(draw, 10, 5_000);
    const settings = {
      segmentBytes: spread(draw, 5_000, 500_000),
      checkpointEntries: between(draw, 100, 2_000),
      bufferBytes: spread(draw, 1_000, 200_000),
    };
    this.backlog = createBacklog({
      ...{ version: 'simulated', config: () => null, snapshot, now: () => timeline.now() },
      ...{ onTooSlow: () => undefined, settings: () => settings },
    });
    this.#attempt(() => this.#open());
    giveOutSeq(this.backlog);
  }

  append(entry: Entry): void {
    const { disk, draw } = this.#options;
    addEntry(this.backlog, entry);
    if (chance(draw, 0.005)) disk.beginTrouble();
    if (this.#failure === undefined) this.#later(this.#groupCommitMs, () => this.#flush());
  }

  /** Whether all that can be on the disk is there. */
  get isAtRest(): boolean {
    return this.#failure === undefined && this.#plan === undefined && isEmpty(this.backlog);
  }

  get losses(): { readonly dropped: number; readonly gaps: number } {
    return lossesOf(this.backlog);
  }

  /** Plans the next step, if none is planned. */
  #later(ms: number, act: () => void): void {
    this.#plan ??= this.#options.timeline.after(ms, () => {
      this.#plan = undefined;
      this.#attempt(act);
    });
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#fail(error.code);
    }
  }

  #open(): void {
    this.#segment = undefined;
    this.#writtenSeq = this.#options.disk.recover();
    beginBehind(this.backlog, this.#writtenSeq, this.#writtenSeq);
  }

  #flush(): void {
    this.#writeParts(takeParts(this.backlog), () => {
      const { timeline } = this.#options;
      if (this.#segment !== undefined && timeline.now() - this.#syncedAt >= this.#syncIntervalMs) {
        this.#later(this.#options.disk.delayMs(), () => {
          this.#sync();
          this.#goOn();
        });
      } else this.#goOn();
    });
  }

  #goOn(): void {
    const { backlog } = this;
    if (!isEmpty(backlog)) this.#later(this.#groupCommitMs, () => this.#flush());
  }

  /** Writes these one after the other, each of which takes its time. */
  #writeParts(parts: readonly Part[], then: () => void): void {
    const [part, ...rest] = parts;
    const { backlog } = this;
    if (part === undefined) {
      if (backlog.gap !== undefined && isEmpty(backlog)) goOn(backlog);
      then();
      return;
    }
    this.#later(this.#options.disk.delayMs(), () => {
      this.#write(part);
      noteWritten(backlog, part);
      this.#writeParts(rest, then);
    });
  }

  #write(part: Part): void {
    const { disk } = this.#options;
    const bytes = Buffer.concat(bytesOf(part.chunks));
    if (part.begins !== undefined) {
      if (this.#segment !== undefined) disk.sync(this.#segment);
      this.#segment = disk.create(part.begins.seq);
      disk.write(this.#segment, Buffer.concat([Buffer.from(encodeLine(part.begins, 1)), bytes]));
      this.#writtenSeq = part.lastSeq;
      disk.sync(this.#segment);
      return;
    }
    if (this.#segment === undefined) throw new Error('lines without a segment to stand in');
    disk.write(this.#segment, bytes);
    this.#writtenSeq = part.lastSeq;
  }

  #sync(): void {
    const { disk, timeline } = this.#options;
    if (this.#segment !== undefined) disk.sync(this.#segment);
    this.#syncedAt = timeline.now();
    settle(this.backlog, this.#writtenSeq);
  }

  /** Drops what waits, makes the end of the log good if that is possible, and tries again later. */
  #fail(code: string): void {
    const { disk } = this.#options;
    this.#failure = code;
    this.#plan?.cancel();
    this.#plan = undefined;
    dropAll(this.backlog, code, this.#writtenSeq, true);
    try {
      this.#segment = undefined;
      this.#writtenSeq = disk.recover();
      // Part of what was being written may stand there whole.
      dropAll(this.backlog, code, this.#writtenSeq, true);
    } catch {
      // Not now; the retry does the same first.
    }
    this.#later(RETRY_MS, () => this.#retry());
  }

  /** It has worked when the new segment is on the disk. */
  #retry(): void {
    this.#open();
    this.#writeParts(takeParts(this.backlog), () => {
      this.#sync();
      this.#failure = undefined;
      this.#goOn();
    });
  }
}
