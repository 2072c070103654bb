/** Keeps the folder of the log in order, in the background: compresses closed segments and removes old ones. */
import type { Logger } from '../log.ts';
import { compressSegment } from './compression.ts';
import { type RetentionLimits, removeOldSegments } from './retention.ts';
import { listSegments } from './segments.ts';

export type HousekeeperOptions = {
  readonly dir: string;
  /** The name of the segment being written; without one the folder is not ours to touch. */
  readonly current: () => string | undefined;
  readonly settings: () => RetentionLimits;
  readonly log: Logger;
};

export type Housekeeper = {
  /** There may be something to do. */
  nudge(): void;
  /** Resolves when nothing is touched any more. */
  stop(): Promise<void>;
};

/** Segments grow old by themselves. */
const LOOK_EVERY_MS = 60_000;

export function createHousekeeper(options: HousekeeperOptions): Housekeeper {
  const stopping = new AbortController();
  let last: Promise<void> = Promise.resolve();
  let isAsked = false;
  let isTroubled = false;
  const work = async () => {
    isAsked = false;
    if (stopping.signal.aborted) return;
    try {
      await tidy(options, stopping.signal);
      isTroubled = false;
    } catch (error) {
      // The same trouble would come back every minute; once is enough until it is over.
      if (!stopping.signal.aborted && !isTroubled) {
        options.log.warn(error, `cannot compress or remove old files of the event log in ${options.dir}`);
      }
      isTroubled = true;
    }
  };
  const nudge = () => {
    if (isAsked) return;
    isAsked = true;
    last = last.then(work);
  };
  const timer = setInterval(nudge, LOOK_EVERY_MS).unref();
  return {
    nudge,
    stop() {
      clearInterval(timer);
      stopping.abort();
      return last;
    },
  };
}

async function tidy({ dir, current, settings, log }: HousekeeperOptions, signal: AbortSignal): Promise<void> {
  const remove = async () => {
    const name = current();
    if (name === undefined) return;
    const removed = await removeOldSegments(dir, name, settings());
    if (removed.length > 0)
      log.info({ dir, removed }, `removed ${removed.length} old files of the event log`);
  };
  await remove();
  for (const segment of await listSegments(dir)) {
    const name = current();
    if (signal.aborted || name === undefined || segment.name >= name) break;
    if (segment.compression === 'none') await compressSegment(dir, segment, signal);
  }
  await remove();
}
