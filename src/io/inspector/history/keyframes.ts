/**
 * States of the core that are kept while a log is read, every few thousand entries, so that any moment is found by
 * replaying from the one before it. When there are too many, or they take too much memory, every second one goes.
 */
import type { Instant } from '../api.ts';
import type { Recent } from './recent.ts';

/** Where lines begin: a file, and the byte in it as it is uncompressed. */
export type Spot = { readonly path: string; readonly byte: number };

/** The state after one entry, and the stretch of entries behind it. */
export type Keyframe = Instant & {
  /** Where the lines behind it begin. */
  readonly spot: Spot;
  /** JSON of the state; undefined where the line at its spot is a snapshot of it. */
  readonly state: string | undefined;
  readonly recent: Recent;
  /** The last entry of its stretch. */
  last: Instant;
  /** The last entry to which replay led as recorded. */
  trusted: number;
  entries: number;
};

export type KeyframeLimits = {
  /** Entries from one to the next, at first. */
  readonly interval: number;
  readonly most: number;
  /** Characters of all their states. */
  readonly mostBytes: number;
};

const LIMITS: KeyframeLimits = { interval: 4096, most: 600, mostBytes: 96 * 1024 * 1024 };

export class Keyframes {
  /** Oldest first; never empty once anything was read. */
  #all: Keyframe[] = [];
  readonly #limits: KeyframeLimits;
  #interval: number;
  #bytes = 0;
  #withState = 0;

  constructor(limits: Partial<KeyframeLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#interval = this.#limits.interval;
  }

  get all(): readonly Keyframe[] {
    return this.#all;
  }

  get last(): Keyframe | undefined {
    return this.#all.at(-1);
  }

  /** Whether the stretch of the last one is as long as one should be. */
  get isDue(): boolean {
    return (this.last?.entries ?? 0) >= this.#interval;
  }

  /** Adds the one whose stretch begins now. It stays the last, whatever has to go for it. */
  add(keyframe: Keyframe): void {
    const { state } = keyframe;
    if (state !== undefined) {
      const { most, mostBytes } = this.#limits;
      // Before it is added: it has no entry yet, so it would be joined with the one before, and that one is not at hand.
      if (this.#withState + 1 > most || this.#bytes + state.length > mostBytes) this.#thin();
      this.#withState += 1;
      this.#bytes += state.length;
    }
    this.#all.push(keyframe);
  }

  /** The one whose stretch has an entry, or would have it. The state before a new run is not the one after the last. */
  holding(seq: number): Keyframe | undefined {
    const index = this.#all.findLastIndex((keyframe) => keyframe.seq <= seq);
    const before = this.#all[index - 1];
    return before?.last.seq === seq ? before : this.#all[index];
  }

  /** The last one at or before a time. */
  beforeTime(at: number): Keyframe | undefined {
    return this.#all.findLast((keyframe) => keyframe.at <= at);
  }

  /** The first one with an entry after this one. */
  after(seq: number): Keyframe | undefined {
    return this.#all.find(({ last }) => last.seq > seq);
  }

  /** The last one with an entry before this one. */
  before(seq: number): Keyframe | undefined {
    return this.#all.findLast((keyframe) => keyframe.seq + 1 < seq);
  }

  /**
   * Forgets those whose entries are no longer on the disk.
   *
   * @returns whether there were any
   */
  dropWhile(isGone: (keyframe: Keyframe) => boolean): boolean {
    const firstKept = this.#all.findIndex((keyframe) => !isGone(keyframe));
    // The last one is where reading goes on.
    const count = firstKept === -1 ? this.#all.length - 1 : firstKept;
    if (count <= 0) return false;
    this.#all = this.#all.slice(count);
    this.#count();
    return true;
  }

  #thin(): void {
    this.#interval *= 2;
    const kept: Keyframe[] = [];
    for (const keyframe of this.#all) {
      const before = kept.at(-1);
      if (keyframe.state === undefined || before === undefined || before.entries >= this.#interval) {
        kept.push(keyframe);
        continue;
      }
      before.last = keyframe.last;
      before.trusted = keyframe.trusted;
      before.entries += keyframe.entries;
    }
    this.#all = kept;
    this.#count();
  }

  #count(): void {
    const states = this.#all.flatMap(({ state }) => state ?? []);
    this.#withState = states.length;
    this.#bytes = states.reduce((sum, { length }) => sum + length, 0);
  }
}
