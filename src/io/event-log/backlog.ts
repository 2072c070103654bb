/**
 * What waits to be written: entries as lines, with checkpoints, the beginnings of segments and the marks of gaps between
 * them. All of it is synchronous and in memory, and bounded: what is too much is counted instead of kept.
 *
 * Entries become lines many at a time, which costs less than one by one between the work on requests. At that moment the
 * core is in the state that the last of them led to, so that is when a checkpoint or a snapshot takes its state.
 */
import type { Entry } from '../../actors/events.ts';
import type { SegmentLine } from '../../actors/log-lines.ts';
import type { CoreSnapshot } from '../../actors/snapshot.ts';
import { beginSegment, put, putCheckpoint, putGap, putSnapshot } from './backlog-lines.ts';
import { type Chunks, freeChunks } from './chunks.ts';

/** So many entries become lines together; small enough that a request does not wait for it. */
const MOST_FRESH = 512;
/** About what an entry takes in the log, to tell when those that are not lines yet fill a segment. */
const TYPICAL_ENTRY_BYTES = 400;

/** Lines of one segment, all whole. */
export type Part = {
  /** The header of the segment that begins with these lines; what it says of the one before is known when that closes. */
  readonly begins: SegmentLine | undefined;
  readonly chunks: Chunks;
  bytes: number;
  /** Of the last entry in it, or before it. */
  lastSeq: number;
};

export type BacklogOptions = {
  readonly version: string;
  readonly config: () => unknown;
  readonly snapshot: () => CoreSnapshot;
  readonly now: () => number;
  /** Entries are being dropped from now on, as too much waits. */
  readonly onTooSlow: () => void;
  readonly settings: () => {
    readonly segmentBytes: number;
    readonly checkpointEntries: number;
    readonly bufferBytes: number;
  };
};

export type Backlog = {
  readonly options: BacklogOptions;
  /** Entries that are not lines yet. */
  fresh: Entry[];
  parts: Part[];
  /** Bytes that wait, and that are being written. */
  waiting: number;
  inFlight: number;
  /** Of the last entry, kept or not, as the log counts them. */
  lastSeq: number;
  lastAt: number | undefined;
  /** Added to the number of an entry. Not 0 only if the log could not be read when numbers were given out. */
  offset: number;
  isGivenOut: boolean;
  /** Whether the end of the log is of this run. */
  isOurs: boolean;
  /** While entries are dropped: the last one before them, and why. */
  gap: { readonly after: number; readonly reason: string } | undefined;
  /** Gaps marked by lines that may still be lost; those beyond an open gap count only if their marks are found again. */
  recentGaps: { readonly after: number; readonly seq: number }[];
  settledDropped: number;
  settledGaps: number;
  /** Of the segment at hand, behind the snapshot it opens with: however large that is, entries follow it. */
  segmentBytes: number;
  /** Of the segment at hand, its header among them. */
  lines: number;
  /** Entries since the last snapshot or checkpoint. */
  sinceState: number;
};

/** A backlog that drops everything until `beginBehind` has been called. */
export function createBacklog(options: BacklogOptions): Backlog {
  return {
    options,
    fresh: [],
    parts: [],
    waiting: 0,
    inFlight: 0,
    lastSeq: 0,
    lastAt: undefined,
    offset: 0,
    isGivenOut: false,
    isOurs: false,
    gap: { after: 0, reason: 'not open yet' },
    recentGaps: [],
    settledDropped: 0,
    settledGaps: 0,
    segmentBytes: 0,
    lines: 0,
    sinceState: 0,
  };
}

/** @returns the number for the first entry; from now on entries may come */
export function giveOutSeq(backlog: Backlog): number {
  backlog.isGivenOut = true;
  return backlog.lastSeq + 1;
}

/** Bytes that are held in memory; up to `MOST_FRESH` entries that are not lines yet come on top. */
export function bytesHeld({ waiting, inFlight }: Backlog): number {
  return waiting + inFlight;
}

export function lossesOf(backlog: Backlog): { dropped: number; gaps: number } {
  const { recentGaps, settledDropped, settledGaps, gap, lastSeq } = backlog;
  const open = gap === undefined ? 0 : lastSeq - gap.after;
  const marked = gap === undefined ? recentGaps : recentGaps.filter(({ seq }) => seq <= gap.after);
  return {
    dropped: settledDropped + marked.reduce((sum, { after, seq }) => sum + seq - after, open),
    gaps: settledGaps + marked.length + (open > 0 ? 1 : 0),
  };
}

export function isEmpty(backlog: Backlog): boolean {
  return bytesHeld(backlog) === 0 && backlog.fresh.length === 0;
}

/** Takes an entry, while the core is in the state that the entry led to. */
export function addEntry(backlog: Backlog, entry: Entry): void {
  const { fresh, sinceState, offset, options } = backlog;
  backlog.lastSeq = entry.seq + offset;
  backlog.lastAt = entry.at;
  if (backlog.gap !== undefined) return;
  fresh.push(offset === 0 ? entry : { ...entry, seq: backlog.lastSeq });
  const { checkpointEntries, segmentBytes } = options.settings();
  const isReload = entry.fact.type === 'config.reloaded';
  const isStateDue = isReload || sinceState + fresh.length >= checkpointEntries;
  const isSegmentFull = backlog.segmentBytes + fresh.length * TYPICAL_ENTRY_BYTES >= segmentBytes;
  if (isStateDue || isSegmentFull || fresh.length >= MOST_FRESH) encodeFresh(backlog, isStateDue);
}

/** Only between two facts: the core must stand where the last entry left it. */
function encodeFresh(backlog: Backlog, isStateDue: boolean): void {
  const { fresh, options } = backlog;
  const { bufferBytes, segmentBytes } = options.settings();
  backlog.fresh = [];
  for (const entry of fresh) {
    const json = JSON.stringify(entry);
    if (bytesHeld(backlog) + json.length > bufferBytes) {
      backlog.gap = { after: entry.seq - 1, reason: 'too slow' };
      options.onTooSlow();
      return;
    }
    put(backlog, json, entry.seq);
  }
  backlog.sinceState += fresh.length;
  // Without an entry since the last segment began, the next one would have the same number, and so the same name.
  if (fresh.length > 0 && backlog.segmentBytes >= segmentBytes) beginSegment(backlog, 'rotated');
  else if (isStateDue) putCheckpoint(backlog);
}

/** Hands over what waits; each part counts until it is written. */
export function takeParts(backlog: Backlog): Part[] {
  encodeFresh(backlog, false);
  const { parts, waiting } = backlog;
  backlog.parts = [];
  backlog.waiting = 0;
  backlog.inFlight += waiting;
  return parts;
}

export function noteWritten(backlog: Backlog, part: Part): void {
  backlog.inFlight -= part.bytes;
  freeChunks(part.chunks);
}

/** Everything up to this entry is on the disk, and so are the marks of gaps before it. */
export function settle(backlog: Backlog, seq: number): void {
  const { recentGaps } = backlog;
  if (recentGaps.length === 0) return;
  for (const gap of recentGaps) {
    if (gap.seq > seq) continue;
    backlog.settledDropped += gap.seq - gap.after;
    backlog.settledGaps += 1;
  }
  backlog.recentGaps = recentGaps.filter((gap) => gap.seq > seq);
}

/**
 * Drops what waits and all that comes: nothing after the entry `after` is in the log.
 *
 * @param isOurs false if another gateway may write there from now on
 */
export function dropAll(backlog: Backlog, reason: string, after: number, isOurs: boolean): void {
  backlog.fresh = [];
  backlog.parts = [];
  backlog.waiting = 0;
  backlog.inFlight = 0;
  // What was found behind another run's entries says nothing about this one's.
  const kept = backlog.isOurs ? after : (backlog.gap?.after ?? after);
  backlog.gap = { after: kept, reason };
  if (!isOurs) backlog.isOurs = false;
}

/** The end of the log may be of another run. */
export function disown(backlog: Backlog): void {
  backlog.isOurs = false;
}

/**
 * Goes on after entries were dropped for want of room, with a gap and the state as it is now.
 *
 * @returns how many were dropped
 */
export function goOn(backlog: Backlog): number {
  const dropped = putGap(backlog);
  putSnapshot(backlog);
  return dropped;
}

/**
 * Begins a segment behind the last entry that was found in the log. If that is one of another run, the entries of this
 * run are counted on from there.
 *
 * @param kept the last entry of this run that counts
 */
export function beginBehind(backlog: Backlog, found: number, kept: number): void {
  const { isOurs } = backlog;
  const { after, reason } = backlog.gap ?? { after: backlog.lastSeq, reason: '' };
  // Only now it is known which marks of gaps are lost, and so part of the gap that is marked here.
  const marked = isOurs ? found : Math.min(after, kept);
  backlog.recentGaps = backlog.recentGaps.filter(({ seq }) => seq <= marked);
  if (!isOurs) {
    const shift = found - Math.min(after, kept);
    backlog.lastSeq += shift;
    if (backlog.isGivenOut) backlog.offset += shift;
  }
  backlog.isOurs = true;
  backlog.gap = { after: found, reason };
  beginSegment(backlog, isOurs ? 'recovered' : 'started');
}
