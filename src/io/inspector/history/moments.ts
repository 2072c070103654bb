/** Finds any moment of the log: from the state kept before it, replays forward to it. */
import { type Balancer, createBalancer } from '../../../actors/balancer.ts';
import type { Instant, Moment } from '../api.ts';
import type { Keyframe } from './keyframes.ts';
import type { LogIndex } from './log-index.ts';
import { momentOf } from './moment.ts';
import { copyRecent, noteRecent, type Recent } from './recent.ts';
import type { Stretches } from './stretches.ts';

/** A core that has taken the first entries of a stretch. */
type Cursor = {
  readonly keyframe: Keyframe;
  readonly balancer: Balancer;
  readonly recent: Recent;
  instant: Instant;
  /** Entries taken. */
  taken: number;
};

export class Moments {
  readonly #index: LogIndex;
  readonly #stretches: Stretches;
  /** Where the last question led: the next one is mostly a little further. */
  #cursor: Cursor | undefined;

  constructor(index: LogIndex, stretches: Stretches) {
    this.#index = index;
    this.#stretches = stretches;
  }

  /** The end of what is known; undefined if nothing is. */
  async end(): Promise<Moment | undefined> {
    const { scene, recent, last } = this.#index;
    if (scene !== undefined && recent !== undefined && last !== null)
      return momentOf(scene.core, last, recent);
    return this.atSeq(Number.MAX_SAFE_INTEGER);
  }

  /** The state after the last entry that is not after this one; the first state there is if all are. */
  atSeq(seq: number): Promise<Moment | undefined> {
    const { keyframes } = this.#index;
    return this.#after(keyframes.holding(seq) ?? keyframes.all[0], (entry) => entry.seq <= seq);
  }

  /** The state at a time. */
  atTime(at: number): Promise<Moment | undefined> {
    const { keyframes } = this.#index;
    return this.#after(keyframes.beforeTime(at) ?? keyframes.all[0], (entry) => entry.at <= at);
  }

  async #after(
    keyframe: Keyframe | undefined,
    isWanted: (entry: Instant) => boolean,
  ): Promise<Moment | undefined> {
    if (keyframe === undefined) return undefined;
    const { entries, state } = await this.#stretches.of(keyframe);
    const isAhead = this.#cursor?.keyframe === keyframe && isWanted(this.#cursor.instant);
    const cursor: Cursor =
      isAhead && this.#cursor !== undefined
        ? this.#cursor
        : {
            keyframe,
            balancer: createBalancer(state),
            recent: copyRecent(keyframe.recent),
            instant: { seq: keyframe.seq, at: keyframe.at },
            taken: 0,
          };
    this.#cursor = cursor;
    const { balancer, recent } = cursor;
    for (;;) {
      const entry = entries[cursor.taken];
      if (entry === undefined || entry.seq > keyframe.trusted || !isWanted(entry)) break;
      balancer.step(entry.fact, entry.at);
      noteRecent(recent, entry, balancer.core);
      cursor.instant = { seq: entry.seq, at: entry.at };
      cursor.taken += 1;
    }
    return momentOf(balancer.core, cursor.instant, recent);
  }
}
