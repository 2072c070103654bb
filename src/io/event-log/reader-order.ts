/**
 * What must hold from one line of a log to the next: a segment opens with its header and a snapshot, numbers count up by
 * one, time does not run backwards, and a gap says exactly what is missing. A line that breaks this is damage even if
 * its CRC and its number fit.
 */
import type { Entry } from '../../actors/events.ts';
import type { CheckpointLine, GapLine, LogLine, SegmentLine, SnapshotLine } from '../../actors/log-lines.ts';
import { stateHash } from './segments.ts';

/** Where in the log a reader is, as far as the order of lines goes. */
export type Order = {
  expects: 'header' | 'snapshot' | 'anything';
  /** The number of the last entry that was read or is known to be missing. */
  last: number | undefined;
  lastAt: number;
  /** Whether what was read leads to the state that the next snapshot must have. */
  isJoined: boolean;
  /** False if the line that was just checked is a snapshot that what was read does not lead to. */
  isContinuous: boolean;
};

const NO_HEADER = 'the segment does not begin with its header';

export function createOrder(): Order {
  return {
    expects: 'header',
    last: undefined,
    lastAt: Number.NEGATIVE_INFINITY,
    isJoined: false,
    isContinuous: false,
  };
}

/** The next line is the first of a segment. */
export function openSegment(order: Order): void {
  order.expects = 'header';
}

/** @returns what the segment lacks at its end, in words */
export function closeSegment({ expects }: Order): string | undefined {
  if (expects === 'header') return 'the segment is empty';
  return expects === 'snapshot' ? 'the segment ends where a snapshot should follow' : undefined;
}

/** @returns what is wrong with the line at this place, in words; after that only `resumeAt` goes on */
export function checkLine(order: Order, line: LogLine): string | undefined {
  const malformed = shapeProblem(line);
  if (malformed !== undefined) return malformed;
  order.isContinuous = true;
  if ('fact' in line) return checkEntry(order, line);
  switch (line.type) {
    case 'segment':
      return checkHeader(order, line);
    case 'snapshot':
      return checkSnapshot(order, line);
    case 'checkpoint':
      return checkCheckpoint(order, line);
    case 'log.gap':
      return checkGap(order, line);
  }
}

/** Goes on behind damage. @returns whether the line is a snapshot that can be trusted, so that it did */
export function resumeAt(order: Order, line: LogLine): boolean {
  if (shapeProblem(line) !== undefined || 'fact' in line || line.type !== 'snapshot') return false;
  if (!fitsItsHash(line)) return false;
  order.expects = 'anything';
  order.last = line.seq;
  order.lastAt = Number.NEGATIVE_INFINITY;
  order.isJoined = true;
  order.isContinuous = false;
  return true;
}

function checkHeader(order: Order, { seq, reason }: SegmentLine): string | undefined {
  const { expects, last } = order;
  if (expects !== 'header') return 'a header stands in the middle of the segment';
  if (last !== undefined && seq !== last + 1) {
    return `the segment begins at entry ${seq}, and the one before ended at ${last}`;
  }
  if (reason !== 'rotated') {
    // Another run of the gateway has a clock of its own.
    order.lastAt = Number.NEGATIVE_INFINITY;
    order.isJoined = false;
  }
  order.last = seq - 1;
  order.expects = 'snapshot';
  return undefined;
}

function checkSnapshot(order: Order, line: SnapshotLine): string | undefined {
  const { expects, last } = order;
  if (expects === 'header') return NO_HEADER;
  if (line.seq !== last) return `the snapshot is of entry ${line.seq}, and ${last} is the one before it`;
  if (!fitsItsHash(line)) return 'the state in the snapshot is not the one its hash is of';
  order.isContinuous = order.isJoined;
  order.isJoined = true;
  order.expects = 'anything';
  return undefined;
}

function checkGap(order: Order, { after, seq, dropped }: GapLine): string | undefined {
  if (order.expects === 'header') return NO_HEADER;
  if (after !== order.last || dropped !== seq - after || dropped < 1) {
    return `the gap is of ${dropped} entries from ${after + 1} to ${seq}, which does not fit what is around it`;
  }
  order.last = seq;
  order.isJoined = false;
  order.expects = 'snapshot';
  return undefined;
}

function checkEntry(order: Order, { seq, at }: Entry): string | undefined {
  const { expects, last, lastAt } = order;
  if (expects !== 'anything') return missingBefore(order);
  if (last !== undefined && seq !== last + 1) return misplaced(seq, last);
  if (at < lastAt) return `entry ${seq} is older than the one before it`;
  order.last = seq;
  order.lastAt = at;
  return undefined;
}

function checkCheckpoint(order: Order, { seq }: CheckpointLine): string | undefined {
  const { expects, last } = order;
  if (expects !== 'anything') return missingBefore(order);
  return seq === last ? undefined : `the checkpoint is of entry ${seq}, and ${last} is the one before it`;
}

function missingBefore({ expects }: Order): string {
  return expects === 'header' ? NO_HEADER : 'a line stands where a snapshot should';
}

function misplaced(seq: number, last: number): string {
  if (seq <= last) return `entry ${seq} stands here again, after ${last}`;
  return seq === last + 2
    ? `entry ${last + 1} is missing: ${last} is followed by ${seq}`
    : `the entries ${last + 1} to ${seq - 1} are missing: ${last} is followed by ${seq}`;
}

function fitsItsHash({ state, hash }: SnapshotLine): boolean {
  return stateHash(JSON.stringify(state)) === hash;
}

/** A line may have a CRC that fits and still not be one that Reprise wrote. @returns what it lacks, in words */
export function shapeProblem(line: LogLine): string | undefined {
  if (!Number.isSafeInteger(line.seq) || !Number.isFinite(line.at)) return 'the line has no seq or no time';
  if ('fact' in line) {
    const { fact, decisions } = line;
    if (typeof fact === 'object' && fact !== null && Array.isArray(decisions)) return undefined;
    return 'the entry has no fact or no decisions';
  }
  if (line.type === 'segment') {
    const { previous } = line;
    const chained = previous === null || (typeof previous === 'object' && typeof previous.name === 'string');
    return chained && typeof line.product === 'string' ? undefined : 'the header is not complete';
  }
  if (line.type === 'log.gap') {
    const whole = Number.isSafeInteger(line.after) && Number.isSafeInteger(line.dropped);
    return whole ? undefined : 'the gap does not say what is missing';
  }
  if (line.type === 'checkpoint') return undefined;
  if (line.type === 'snapshot') {
    return typeof line.state === 'object' && line.state !== null ? undefined : 'the snapshot has no state';
  }
  return 'the line is of a kind that this Reprise does not know';
}
