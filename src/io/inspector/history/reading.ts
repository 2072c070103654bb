/** Reads a log into an index, from its beginning on, and tells how far it has come; questions are answered meanwhile. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { followLog } from '../../event-log/follow.ts';
import { type LogItem, readLog } from '../../event-log/reader.ts';
import type { Overview } from '../api.ts';
import type { KeyframeLimits } from './keyframes.ts';
import { LogIndex } from './log-index.ts';

export type Reading = {
  readonly index: LogIndex;
  readonly progress: Overview['progress'];
  /** Why reading has ended early, in words. */
  readonly failure: string | undefined;
  /** Resolves when all has been read, or reading has failed. */
  readonly done: Promise<void>;
};

type Bytes = { done: number; total: number };

/** Reads what is there. @param path a folder or a file */
export async function readRecording(path: string, limits?: Partial<KeyframeLimits>): Promise<Reading> {
  const index = new LogIndex(path, (await stat(path)).isDirectory(), limits);
  const bytes: Bytes = { done: 0, total: 0 };
  const log = readLog(path, { onDamage: (damage) => index.damage(damage), onProgress: noteIn(bytes) });
  return readingOf(index, bytes, log);
}

/** Reads what is there, and what is added to it, until the signal. @param dir the folder, which may be empty still */
export function followRecording(
  dir: string,
  signal = new AbortController().signal,
  limits?: Partial<KeyframeLimits>,
): Reading {
  const index = new LogIndex(dir, true, limits);
  const bytes: Bytes = { done: 0, total: 0 };
  const log = followLog(dir, {
    onDamage: (damage) => index.damage(damage),
    onProgress: noteIn(bytes),
    onListed([oldest]) {
      if (oldest !== undefined) index.forgetBefore(join(dir, oldest.name));
    },
    signal,
  });
  return readingOf(index, bytes, log);
}

/** Where nothing is recorded. */
export function readNothing(): Reading {
  return readingOf(new LogIndex('', true), { done: 0, total: 0 }, []);
}

function noteIn(bytes: Bytes): (done: number, total: number) => void {
  return (done, total) => {
    bytes.done = done;
    bytes.total = total;
  };
}

function readingOf(
  index: LogIndex,
  bytes: Bytes,
  log: AsyncIterable<readonly LogItem[]> | Iterable<readonly LogItem[]>,
): Reading {
  let failure: string | undefined;
  const read = async () => {
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
