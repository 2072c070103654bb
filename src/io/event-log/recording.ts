/**
 * Recording as it goes on: entries are collected for a moment and written together, forced to the disk now and then, and
 * when the disk fails the end of the log is made good and writing is tried again until it works.
 */
import type { Entry, Fact } from '../../actors/events.ts';
import type { EventLogConfig } from '../config/schema.ts';
import {
  addEntry,
  type Backlog,
  beginBehind,
  bytesHeld,
  disown,
  dropAll,
  goOn,
  isEmpty,
  lossesOf,
  noteWritten,
  settle,
  takeParts,
} from './backlog.ts';
import type { Housekeeper } from './housekeeping.ts';
import { LOCKED } from './lock.ts';
import { noteLock, trustLock } from './lock-watch.ts';
import type { Reports } from './reports.ts';
import { openStore, type Store, syncStore, writePart } from './store.ts';

export type Recording = {
  readonly store: Store;
  readonly backlog: Backlog;
  readonly reports: Reports;
  readonly housekeeper: Housekeeper;
  readonly settings: () => EventLogConfig;
  /** Why nothing can be written at the moment, if so. */
  failure: string | undefined;
  isClosed: boolean;
  /** Whether there has been an entry; before, nothing is written. */
  isBegun: boolean;
  isSyncDue: boolean;
  isFlushing: boolean;
  /** When the oldest entry came that waits, and of those being written; in milliseconds of the monotonic clock. */
  waitingSince: number | undefined;
  flyingSince: number | undefined;
  readonly firstRetryMs: number;
  /** For how long the lock is taken for ours without a look at it. */
  readonly trustLockMs: number;
  /** When it was last known to be ours, by the monotonic clock and by the time of day. */
  lockSeen: { readonly now: number; readonly date: number };
  retryMs: number;
  recoveredAt: number;
  flushTimer: NodeJS.Timeout | undefined;
  isFlushHasty: boolean;
  syncTimer: NodeJS.Timeout | undefined;
  retryTimer: NodeJS.Timeout | undefined;
  /** The end of all work on the store so far; it is done one after the other. */
  last: Promise<void>;
};

const NOT_OPEN = 'not open yet';
/** Between two retries the time doubles, up to this many times the first. */
const LONGEST_RETRY = 5;
/** A disk that has worked for this long is taken for well again. */
const WELL_AFTER_MS = 30_000;
/** A backlog this full is not left to fill up further. */
const HASTE_SHARE = 1 / 4;

/** Facts that come with each request or probe. The others are rare, and are forced to the disk at once. */
const TRAFFIC: ReadonlySet<Fact['type']> = new Set<Fact['type']>([
  'request.received',
  'socket.opened',
  'socket.failed',
  'socket.closed',
  'response.started',
  'response.ended',
  'response.failed',
  'client.aborted',
  'probe.succeeded',
  'probe.failed',
  'timer.fired',
]);

export function createRecording(
  parts: Pick<
    Recording,
    'store' | 'backlog' | 'reports' | 'housekeeper' | 'settings' | 'firstRetryMs' | 'trustLockMs'
  >,
): Recording {
  return {
    ...parts,
    failure: NOT_OPEN,
    isClosed: false,
    isBegun: false,
    isSyncDue: false,
    isFlushing: false,
    waitingSince: undefined,
    flyingSince: undefined,
    lockSeen: { now: 0, date: 0 },
    retryMs: parts.firstRetryMs,
    recoveredAt: Number.NEGATIVE_INFINITY,
    flushTimer: undefined,
    isFlushHasty: false,
    syncTimer: undefined,
    retryTimer: undefined,
    last: Promise.resolve(),
  };
}

/** Runs work on the store when all before it is done; what it throws counts as a failure of the disk. */
export function exclusively(recording: Recording, work: () => Promise<void>): Promise<void> {
  recording.last = recording.last.then(work).catch((error: unknown) => fail(recording, error));
  return recording.last;
}

/** Takes an entry down; the writing comes later. */
export function record(recording: Recording, entry: Entry): void {
  const { backlog, settings } = recording;
  recording.isBegun = true;
  addEntry(backlog, entry);
  if (recording.failure !== undefined) return;
  recording.waitingSince ??= performance.now();
  const isControl = isControlEntry(entry);
  if (isControl) recording.isSyncDue = true;
  scheduleFlush(recording, isControl || bytesHeld(backlog) > settings().bufferBytes * HASTE_SHARE);
}

function isControlEntry({ fact, decisions }: Entry): boolean {
  return !TRAFFIC.has(fact.type) || decisions.some(({ type }) => type === 'backend.changed');
}

function scheduleFlush(recording: Recording, isHasty: boolean): void {
  if (recording.isFlushing || recording.isClosed) return;
  if (recording.flushTimer !== undefined) {
    if (!isHasty || recording.isFlushHasty) return;
    clearTimeout(recording.flushTimer);
  }
  recording.isFlushHasty = isHasty;
  recording.flushTimer = setTimeout(
    () => void exclusively(recording, () => flush(recording)),
    isHasty ? 0 : recording.settings().groupCommitMs,
  );
}

/** Writes all that waits now. */
export async function flush(recording: Recording): Promise<void> {
  clearTimeout(recording.flushTimer);
  recording.flushTimer = undefined;
  if (recording.failure !== undefined) return;
  // An entry that comes while this runs is not covered by it.
  const isSyncDue = recording.isSyncDue;
  recording.isSyncDue = false;
  recording.isFlushing = true;
  try {
    await writeAll(recording);
    await syncNowOrLater(recording, isSyncDue);
  } finally {
    recording.isFlushing = false;
  }
  if (!isEmpty(recording.backlog) || recording.isSyncDue) scheduleFlush(recording, recording.isSyncDue);
}

async function writeAll(recording: Recording): Promise<void> {
  const { store, backlog, housekeeper } = recording;
  recording.flyingSince = recording.waitingSince;
  recording.waitingSince = undefined;
  try {
    for (const part of takeParts(backlog)) {
      await trustLock(recording);
      await writePart(store, part);
      noteWritten(backlog, part);
      if (part.begins !== undefined) housekeeper.nudge();
    }
  } finally {
    recording.flyingSince = undefined;
  }
  if (backlog.gap === undefined || !isEmpty(backlog)) return;
  recording.reports.caughtUp(goOn(backlog));
  recording.waitingSince = performance.now();
}

async function syncNowOrLater(recording: Recording, isDue: boolean): Promise<void> {
  const { store, backlog } = recording;
  if (isDue) {
    clearTimeout(recording.syncTimer);
    recording.syncTimer = undefined;
    await syncStore(store);
    settle(backlog, store.syncedSeq);
  } else if (store.segment?.isDirty === true && recording.syncTimer === undefined) {
    recording.syncTimer = setTimeout(() => {
      recording.syncTimer = undefined;
      recording.isSyncDue = true;
      scheduleFlush(recording, true);
    }, recording.settings().syncIntervalMs);
  }
}

/**
 * Opens the log, and begins a segment in it.
 *
 * @throws whatever the file system throws
 */
export async function open(recording: Recording): Promise<void> {
  const { store, backlog, reports } = recording;
  const opened = await openStore(store);
  const { lastSeq, keptSeq, isStillOurs } = opened;
  if (!isStillOurs) disown(backlog);
  noteLock(recording);
  reports.mended(opened);
  beginBehind(backlog, lastSeq, keptSeq);
}

/** Writes what waits for the last time, also after a failure: the disk may be well again. */
export async function finish(recording: Recording): Promise<void> {
  if (!recording.isBegun) return;
  if (recording.failure !== undefined) await goOnAfterFailure(recording);
  do await flush(recording);
  while (!isEmpty(recording.backlog));
}

async function retry(recording: Recording): Promise<void> {
  recording.retryTimer = undefined;
  if (!recording.isClosed) await goOnAfterFailure(recording);
}

/** It has worked when the new segment is on the disk. */
async function goOnAfterFailure(recording: Recording): Promise<void> {
  await open(recording);
  await writeAll(recording);
  const { store, backlog, reports } = recording;
  await syncStore(store);
  settle(backlog, store.syncedSeq);
  recording.failure = undefined;
  recording.recoveredAt = performance.now();
  reports.recovered(lossesOf(backlog).dropped);
  if (!isEmpty(backlog)) scheduleFlush(recording, true);
}

/** The disk has failed: drops what waits, makes the end of the log good if that is possible, and tries again later. */
async function fail(recording: Recording, error: unknown): Promise<void> {
  const { store, reports } = recording;
  const isNews = recording.failure === undefined || recording.failure === NOT_OPEN;
  recording.failure = codeOf(error);
  stopTimers(recording);
  drop(recording);
  const isFirst = isNews && performance.now() - recording.recoveredAt > WELL_AFTER_MS;
  const { firstRetryMs } = recording;
  recording.retryMs = isFirst ? firstRetryMs : Math.min(recording.retryMs * 2, firstRetryMs * LONGEST_RETRY);
  if (isNews) reports.failed(error);
  if (recording.isClosed) return;
  try {
    const opened = await openStore(store);
    if (!opened.isStillOurs) disown(recording.backlog);
    reports.mended(opened);
    // Part of what was being written may stand there whole.
    drop(recording);
  } catch {
    // Not now; the retry does the same first, and will be heard if it fails for good.
  }
  recording.retryTimer = setTimeout(
    () => void exclusively(recording, () => retry(recording)),
    recording.retryMs,
  ).unref();
}

function drop({ backlog, store, failure = 'unknown' }: Recording): void {
  dropAll(backlog, failure, store.writtenSeq, failure !== LOCKED);
}

export function stopTimers(recording: Recording): void {
  clearTimeout(recording.flushTimer);
  clearTimeout(recording.syncTimer);
  clearTimeout(recording.retryTimer);
  recording.flushTimer = undefined;
  recording.syncTimer = undefined;
  recording.retryTimer = undefined;
  recording.isSyncDue = false;
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
