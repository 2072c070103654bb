/** Plays a log on disk, up to a point or to its end, to someone who explains it. */
import type { Instant } from '../../actors/explain/history.ts';
import { createPlayback, type Playback, type Stretch, type Watcher } from '../../actors/explain/playback.ts';
import { type Damage, readLog } from '../event-log/reader.ts';
import { isBeyond, type Point } from '../event-log/replay-range.ts';

/** What was played, and how sound the log is. */
export type LogFacts = {
  /** The first and the last entry that were played. */
  readonly from: Instant | null;
  readonly until: Instant | null;
  readonly stretches: readonly Stretch[];
  readonly damage: readonly Damage[];
  /** The first entry at which replay went another way than the record. */
  readonly divergence: Instant | null;
};

export type Played = {
  readonly playback: Playback;
  readonly log: LogFacts;
  /** The first entry beyond the point, if there is one. */
  readonly next: (Instant & { readonly type: string }) | null;
};

const DAMAGE_KEPT = 100;

/**
 * @param until the last entry, or the last moment, that is played; all without it
 * @throws LogRefusedError if there is no log
 */
export async function playLog(
  path: string,
  watcher: Watcher,
  until: Point | undefined,
  onProgress: (bytesDone: number, bytesTotal: number) => void,
): Promise<Played> {
  const playback = createPlayback(watcher);
  const damage: Damage[] = [];
  let next: Played['next'] = null;
  const onDamage = (found: Damage) => {
    if (damage.length < DAMAGE_KEPT) damage.push(found);
    playback.interrupt();
  };
  reading: for await (const items of readLog(path, { onDamage, onProgress })) {
    for (const item of items) {
      const { line } = item;
      if (until !== undefined && 'fact' in line && isBeyond(line, until)) {
        next = { seq: line.seq, at: line.at, type: line.fact.type };
        break reading;
      }
      playback.take(item);
    }
  }
  if (until !== undefined) {
    playback.settle({ seq: Number.POSITIVE_INFINITY, at: Number.POSITIVE_INFINITY, ...until });
  }
  const { divergence, stretches, first = null, last = null } = playback;
  const diverged = divergence === undefined ? null : { seq: divergence.seq, at: divergence.at };
  return { playback, next, log: { from: first, until: last, stretches, damage, divergence: diverged } };
}
