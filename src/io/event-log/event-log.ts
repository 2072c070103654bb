/**
 * The event log: takes every entry and writes it in the background, many at a time, never on the way of a request. A
 * disk that is full, slow or broken costs entries, which are counted and marked by a gap; it costs no request.
 *
 *     append --> backlog --(group commit)--> store --> segment --(sync interval)--> disk
 *                   `- full, or the disk has failed: entries are only counted, until a gap and a snapshot can follow
 */
import { resolve } from 'node:path';
import type { Entry } from '../../actors/events.ts';
import type { CoreSnapshot } from '../../actors/snapshot.ts';
import type { EventLogConfig } from '../config/schema.ts';
import type { Logger } from '../log.ts';
import { bytesHeld, createBacklog, giveOutSeq, lossesOf } from './backlog.ts';
import type { FilePort } from './files.ts';
import { createHousekeeper } from './housekeeping.ts';
import { LOCK_BEAT_MS } from './lock.ts';
import { holdLock } from './lock-watch.ts';
import {
  createRecording,
  exclusively,
  finish,
  flush,
  open,
  type Recording,
  record,
  stopTimers,
} from './recording.ts';
import { createReports } from './reports.ts';
import { closeStore, createStore } from './store.ts';

export type EventLogOptions = {
  readonly dir: string;
  /** Read anew each time, so that a reload counts at once. */
  readonly settings: () => EventLogConfig;
  readonly version: string;
  /** The effective config, for the headers of segments; nothing secret may be in it. */
  readonly config: () => unknown;
  /** The state of the core now. */
  readonly snapshot: () => CoreSnapshot;
  /** The clock of the entries. */
  readonly now: () => number;
  readonly files: FilePort;
  readonly log: Logger;
  /** Shorter in tests. */
  readonly timing?: Partial<Timing>;
};

type Timing = {
  /** How long the start of the gateway waits for the log to open. */
  readonly openWithinMs: number;
  readonly closeWithinMs: number;
  /** From a failure to the first retry. */
  readonly retryMs: number;
  /** For how long the lock is taken for ours without a look at it, before something is written. */
  readonly trustLockMs: number;
};

export type EventLogStats = {
  /** `dropping`: the disk is too slow at the moment; `failed`: it does not work, or the folder is another gateway's. */
  readonly state: 'recording' | 'dropping' | 'failed' | 'closed' | 'off';
  /** Why it drops entries or has failed, such as `ENOSPC`. */
  readonly reason: string | null;
  readonly dir: string;
  /** The file that is written. */
  readonly segment: string | null;
  /** Numbers of the last entries that were made, written, and forced to the disk. */
  readonly seq: number;
  readonly writtenSeq: number;
  readonly syncedSeq: number;
  readonly waitingBytes: number;
  /** How long the oldest entry has waited that is not written yet. */
  readonly lagMs: number;
  /** Written since the start. */
  readonly bytes: number;
  /** Entries that are not in the log, and gaps they have left. */
  readonly dropped: number;
  readonly gaps: number;
};

export type EventLog = {
  /** The number the first entry is to have. */
  readonly firstSeq: number;
  /** Takes an entry, before the next fact reaches the core. It neither blocks nor throws. */
  append(entry: Entry): void;
  stats(): EventLogStats;
  /** Writes what waits and forces it to the disk; gives up after a few seconds, since a disk may hang. */
  close(): Promise<void>;
};

const TIMING: Timing = {
  openWithinMs: 5_000,
  closeWithinMs: 5_000,
  retryMs: 1_000,
  // One beat may be late; well before another gateway takes the lock for stale.
  trustLockMs: 2 * LOCK_BEAT_MS,
};

/**
 * Opens the log of a folder, to go on behind its last entry. That it cannot be opened is no error: the log counts what
 * it misses, and tries again.
 */
export async function openEventLog(options: EventLogOptions): Promise<EventLog> {
  const { settings, log } = options;
  const { openWithinMs, closeWithinMs, retryMs, trustLockMs } = { ...TIMING, ...options.timing };
  const dir = resolve(options.dir);
  const store = createStore(options.files, dir);
  const reports = createReports(log, dir);
  const recording = createRecording({
    store,
    backlog: createBacklog({ ...options, onTooSlow: () => reports.tooSlow(settings().bufferBytes) }),
    reports,
    housekeeper: createHousekeeper({ dir, current: () => store.segment?.name, settings, log }),
    settings,
    firstRetryMs: retryMs,
    trustLockMs,
  });
  const opened = exclusively(recording, async () => {
    await open(recording);
    recording.failure = undefined;
    // Entries have come already if this took too long; until the first there is nothing to write.
    if (recording.isBegun) await flush(recording);
  });
  if (!(await isWithin(openWithinMs, opened))) reports.slowToOpen(openWithinMs);
  const firstSeq = giveOutSeq(recording.backlog);
  if (recording.failure === undefined) reports.opened(firstSeq);
  const beat = keepLock(recording);
  return {
    firstSeq,
    append(entry) {
      if (recording.isClosed) return;
      try {
        record(recording, entry);
      } catch (error) {
        // A mistake of ours must not reach the request; it counts as a failure, after which a new segment begins.
        void exclusively(recording, () => Promise.reject(error));
      }
    },
    stats: () => statsOf(recording),
    async close() {
      clearInterval(beat);
      await close(recording, closeWithinMs);
    },
  };
}

/** The log that is not kept. */
export const noEventLog: EventLog = {
  firstSeq: 1,
  append: () => undefined,
  stats: () => ({
    state: 'off',
    reason: null,
    dir: '',
    segment: null,
    seq: 0,
    writtenSeq: 0,
    syncedSeq: 0,
    waitingBytes: 0,
    lagMs: 0,
    bytes: 0,
    dropped: 0,
    gaps: 0,
  }),
  close: () => Promise.resolve(),
};

function keepLock(recording: Recording): NodeJS.Timeout {
  let isUnderWay = false;
  return setInterval(() => {
    // On a disk that hangs they would pile up.
    if (isUnderWay) return;
    isUnderWay = true;
    void exclusively(recording, () => holdLock(recording)).then(() => {
      isUnderWay = false;
    });
  }, LOCK_BEAT_MS).unref();
}

function statsOf(recording: Recording): EventLogStats {
  const { store, backlog, failure, isClosed, waitingSince, flyingSince } = recording;
  const now = performance.now();
  const reason = failure ?? backlog.gap?.reason ?? null;
  const state = failure !== undefined ? 'failed' : backlog.gap !== undefined ? 'dropping' : 'recording';
  return {
    state: isClosed ? 'closed' : state,
    reason,
    dir: store.dir,
    segment: store.segment?.name ?? null,
    seq: backlog.lastSeq,
    writtenSeq: store.writtenSeq,
    syncedSeq: store.syncedSeq,
    waitingBytes: bytesHeld(backlog),
    lagMs: Math.round(now - (flyingSince ?? waitingSince ?? now)),
    bytes: store.bytes,
    ...lossesOf(backlog),
  };
}

async function close(recording: Recording, withinMs: number): Promise<void> {
  const { store, backlog, reports, housekeeper } = recording;
  recording.isClosed = true;
  stopTimers(recording);
  void exclusively(recording, () => finish(recording));
  // Whatever came of that, the folder is to be free for the next gateway.
  const closed = exclusively(recording, () => closeStore(store));
  const isDone = await isWithin(withinMs, Promise.all([closed, housekeeper.stop()]));
  if (!isDone) reports.notClosed(withinMs);
  reports.closed(lossesOf(backlog).dropped);
}

/** Whether the promise, which must not reject, is settled in time. */
async function isWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<false>((done) => {
    timer = setTimeout(() => done(false), ms);
  });
  const isInTime = await Promise.race([promise.then(() => true), tooLate]);
  clearTimeout(timer);
  return isInTime;
}
