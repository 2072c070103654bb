/** Reads a log into an index, from its beginning to its end, and tells how far it has come. */
import { stat } from 'node:fs/promises';
import { readLog } from '../../event-log/reader.ts';
import type { Overview } from '../api.ts';
import { LogIndex } from './log-index.ts';

export type Reading = {
  readonly index: LogIndex;
  readonly progress: Overview['progress'];
  /** Why reading has ended early, in words. */
  readonly failure: string | undefined;
  /** Resolves when all has been read that was there at the beginning, or reading has failed. */
  readonly done: Promise<void>;
};

/** Begins to read; questions are answered meanwhile. */
export async function readRecording(path: string): Promise<Reading> {
  const index = new LogIndex(path, (await stat(path)).isDirectory());
  const bytes = { done: 0, total: 0 };
  let failure: string | undefined;
  const read = async () => {
    const log = readLog(path, {
      onDamage: (damage) => index.damage(damage),
      onProgress(done, total) {
        bytes.done = done;
        bytes.total = total;
      },
    });
    for await (const items of log) for (const item of items) index.take(item);
  };
  const done = read().catch((error: unknown) => {
    failure = error instanceof Error ? error.message : String(error);
  });
  return {
    index,
    done,
    get progress() {
      return { entries: index.entries, bytes: bytes.done, bytesTotal: bytes.total };
    },
    get failure() {
      return failure;
    },
  };
}
