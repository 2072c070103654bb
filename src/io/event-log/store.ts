/**
 * The log on the disk: its folder, the lock on it, and the one segment that is open. Everything here may throw what the
 * file system throws; `openStore` then makes the end of the log good again.
 */
import { mkdir } from 'node:fs/promises';
import type { Part } from './backlog.ts';
import { bytesOf } from './chunks.ts';
import type { FilePort } from './files.ts';
import { encodeLine } from './lines.ts';
import { acquireLock, type Lock } from './lock.ts';
import { type Doubt, type LogEnd, recoverEnd } from './recovery.ts';
import { createSegmentFile, type SegmentFile } from './segment-file.ts';
import { listSegments } from './segments.ts';

export type Store = {
  readonly files: FilePort;
  readonly dir: string;
  lock: Lock | undefined;
  /** Whether it has been ours all the time since the log was opened last; it stays false while that cannot be opened again. */
  isStillOurs: boolean;
  /** The end of the closed segments, once it is known to be good. */
  end: LogEnd | undefined;
  segment: SegmentFile | undefined;
  /** The last one that this run began. */
  ownName: string | undefined;
  doubt: Doubt | undefined;
  /** Numbers of the last entries that were written, and forced to the disk. */
  writtenSeq: number;
  syncedSeq: number;
  /** Written in this run. */
  bytes: number;
};

export function createStore(files: FilePort, dir: string): Store {
  return {
    files,
    dir,
    lock: undefined,
    isStillOurs: false,
    end: undefined,
    segment: undefined,
    ownName: undefined,
    doubt: undefined,
    writtenSeq: 0,
    syncedSeq: 0,
    bytes: 0,
  };
}

export type Opened = {
  /** Of the last entry there is, and of the last one of this run that counts: the same, unless another gateway wrote since. */
  readonly lastSeq: number;
  readonly keptSeq: number;
  readonly cutBytes: number;
  readonly damaged: LogEnd['damaged'];
  /** Whether the folder was ours all the time since it was opened before. */
  readonly isStillOurs: boolean;
};

/** Takes the lock, and cuts off what is not whole at the end of the log. Called first, and again after anything failed. */
export async function openStore(store: Store): Promise<Opened> {
  const { files, dir, segment: broken } = store;
  store.segment = undefined;
  if (broken !== undefined) await broken.close().catch(() => undefined);
  await mkdir(dir, { recursive: true });
  if ((await store.lock?.isHeld()) !== true) {
    store.lock = undefined;
    store.isStillOurs = false;
    // What another gateway has done here is not known.
    store.end = undefined;
    store.lock = await acquireLock(dir);
  }
  const { doubt, end: known } = store;
  store.end = await recoverEnd(files, dir, { doubt, known });
  store.doubt = undefined;
  const { lastSeq, cutBytes, damaged } = store.end;
  store.writtenSeq = lastSeq;
  store.syncedSeq = lastSeq;
  const keptSeq = Math.min(lastSeq, await endOfOwn(store));
  const { isStillOurs } = store;
  store.isStillOurs = true;
  return { lastSeq, keptSeq, cutBytes, damaged, isStillOurs };
}

/** Another gateway went on behind the end it found in our segment; what we wrote there later is no part of the log. */
async function endOfOwn({ dir, ownName }: Store): Promise<number> {
  if (ownName === undefined) return Infinity;
  const next = (await listSegments(dir)).find(({ name }) => name > ownName);
  return next === undefined ? Infinity : next.seq - 1;
}

/** Writes whole lines, in a new segment if the part begins one. */
export async function writePart(store: Store, part: Part): Promise<void> {
  if (part.begins !== undefined) await beginSegment(store, part, part.begins);
  else {
    if (store.segment === undefined) throw new Error('lines without a segment to stand in');
    store.bytes += await store.segment.write(bytesOf(part.chunks));
    store.writtenSeq = part.lastSeq;
  }
}

async function beginSegment(store: Store, part: Part, begins: NonNullable<Part['begins']>): Promise<void> {
  await finishSegment(store);
  const previous = store.end?.previous ?? null;
  store.segment = await createSegmentFile(store.files, store.dir, begins.seq);
  store.ownName = store.segment.name;
  const header = Buffer.from(encodeLine({ ...begins, previous }, 1));
  store.bytes += await store.segment.write([header, ...bytesOf(part.chunks)]);
  store.writtenSeq = part.lastSeq;
  await syncStore(store);
  await store.files.syncFolder(store.dir);
}

/** Forces to the disk what was written. */
export async function syncStore(store: Store): Promise<void> {
  const { segment, writtenSeq } = store;
  if (segment === undefined || !segment.isDirty) return;
  // A disk that has failed to confirm writes may forget them, and confirm the next time.
  store.doubt = { name: segment.name, syncedBytes: segment.syncedBytes };
  await segment.sync();
  store.doubt = undefined;
  store.syncedSeq = writtenSeq;
}

async function finishSegment(store: Store): Promise<void> {
  await syncStore(store);
  if (store.segment === undefined) return;
  const { name } = store.segment;
  const sha256 = await store.segment.close();
  store.segment = undefined;
  store.end = { previous: { name, sha256 }, lastSeq: store.writtenSeq, cutBytes: 0, damaged: [] };
}

/** Gives the folder free, also when the last segment cannot be finished; the next start makes that one good. */
export async function closeStore(store: Store): Promise<void> {
  try {
    await finishSegment(store);
  } finally {
    await store.segment?.close().catch(() => undefined);
    store.segment = undefined;
    await store.lock?.release();
    store.lock = undefined;
  }
}
