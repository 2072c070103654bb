/**
 * Which lines of a log can be used. Damage ends the trust in what comes behind it, and the next snapshot that fits its
 * own hash gives it back; only then is it known what can still be read, so that is when damage is reported.
 */
import { LOG_VERSION, type LogLine, type SegmentLine } from '../../actors/log-lines.ts';
import { LogRefusedError, type SegmentFile } from './reader-files.ts';
import type { FoundLine, Place } from './reader-lines.ts';
import {
  checkLine,
  closeSegment,
  createOrder,
  type Order,
  openSegment,
  resumeAt,
  shapeProblem,
} from './reader-order.ts';

export type Damage = Place & {
  readonly problem: string;
  /** What can still be read, in words. */
  readonly readable: string;
  /** Bytes of a last line that a crash cut off, which the next start drops; 0 for any other damage. */
  readonly tornBytes: number;
};

export type Verdict =
  /** `continuous`: see LogItem. */
  | { readonly use: true; readonly continuous: boolean }
  /** `damaged`: this is the line at which trust ends. */
  | { readonly use: false; readonly damaged: boolean };

export type Trust = {
  readonly onDamage: (damage: Damage) => void;
  readonly order: Order;
  file: SegmentFile | undefined;
  isFirstLine: boolean;
  /** The number of the line before. */
  n: number;
  /** Whether nothing of the segment at hand was found damaged, so that its hash must be the one in the next header. */
  isSound: boolean;
  before: { readonly name: string; readonly sha256: string; readonly isSound: boolean } | undefined;
  /** Damage that waits for the end of the distrust it began. */
  findings: { readonly place: Place; readonly problem: string; readonly tornBytes: number }[];
  /** What lies before the first of them, in words. */
  trusted: string;
  isAnythingRead: boolean;
};

type WholeLine = Extract<FoundLine, { readonly n: number }>;

const CONTINUOUS: Verdict = { use: true, continuous: true };
const DISCONTINUOUS: Verdict = { use: true, continuous: false };
const SKIPPED: Verdict = { use: false, damaged: false };
const DAMAGED: Verdict = { use: false, damaged: true };

export function createTrust(onDamage: (damage: Damage) => void): Trust {
  return {
    onDamage,
    order: createOrder(),
    file: undefined,
    isFirstLine: true,
    n: 0,
    isSound: true,
    before: undefined,
    findings: [],
    trusted: '',
    isAnythingRead: false,
  };
}

export function beginSegment(trust: Trust, file: SegmentFile): void {
  trust.file = file;
  trust.isFirstLine = true;
  trust.n = 0;
  trust.isSound = true;
  openSegment(trust.order);
}

export function judgeLine(trust: Trust, found: FoundLine): Verdict {
  const isFirst = trust.isFirstLine;
  trust.isFirstLine = false;
  const { line } = found;
  if (isFirst && line === undefined) refuseNewer(found);
  const header = isFirst && line !== undefined && isHeader(line) ? line : undefined;
  return trust.findings.length === 0
    ? judgeTrusted(trust, found, header)
    : judgeDistrusted(trust, found, header);
}

function isHeader(line: LogLine): line is SegmentLine {
  return 'type' in line && line.type === 'segment' && shapeProblem(line) === undefined;
}

/** The line at hand is damage, or the segment could not be read any further. */
export function distrust(trust: Trust, place: Place, problem: string, tornBytes = 0): void {
  if (trust.findings.length === 0) {
    trust.trusted = trust.isAnythingRead ? `everything up to entry ${trust.order.last}` : 'nothing before it';
  }
  trust.findings.push({ place, problem, tornBytes });
  trust.isSound = false;
}

/**
 * @param rest what stands behind the last newline
 * @param sha256 of all bytes of the segment
 */
export function endSegment(
  trust: Trust,
  rest: { readonly place: Place; readonly bytes: number },
  sha256: string,
  isLast: boolean,
): void {
  const { place, bytes } = rest;
  const crashed = isLast ? ', as after a crash' : '';
  if (trust.findings.length > 0) {
    if (bytes > 0) trust.isSound = false;
  } else if (bytes > 0) {
    const problem = `the last line is not complete${crashed}: ${bytes} bytes without an end`;
    distrust(trust, place, problem, isLast ? bytes : 0);
  } else {
    const problem = closeSegment(trust.order);
    if (problem !== undefined) distrust(trust, place, `${problem}${crashed}`);
  }
  if (trust.file !== undefined) trust.before = { name: trust.file.name, sha256, isSound: trust.isSound };
}

/** Nothing comes any more; what is damaged still is reported. */
export function endLog(trust: Trust): void {
  report(trust, ', and nothing after it');
}

function report(trust: Trust, again: string): void {
  for (const { place, problem, tornBytes } of trust.findings) {
    trust.onDamage({ ...place, problem, readable: `${trust.trusted}${again}`, tornBytes });
  }
  trust.findings = [];
}

function judgeTrusted(trust: Trust, found: FoundLine, header: SegmentLine | undefined): Verdict {
  const problem = found.line === undefined ? found.problem : problemOf(trust, found, header);
  if (problem !== undefined) {
    distrust(trust, found.place, problem);
    return DAMAGED;
  }
  trust.isAnythingRead ||= header === undefined;
  return trust.order.isContinuous ? CONTINUOUS : DISCONTINUOUS;
}

/** @returns what is wrong with a line that is whole, in words */
function problemOf(
  trust: Trust,
  { line, n }: WholeLine,
  header: SegmentLine | undefined,
): string | undefined {
  const chained = header === undefined ? undefined : chainProblem(trust, header);
  if (chained !== undefined) return chained;
  const misnumbered = numberProblem(trust.n, n);
  // What is missing can be said better if it was an entry. The line is not taken, so nor is its order.
  if (misnumbered !== undefined) return checkLine({ ...trust.order }, line) ?? misnumbered;
  trust.n = n;
  return checkLine(trust.order, line);
}

function numberProblem(last: number, n: number): string | undefined {
  if (n === last + 1) return undefined;
  if (n <= last) return `line ${n} of the segment stands here again, after ${last}`;
  const gone = n === last + 2 ? `line ${last + 1} is` : `the lines ${last + 1} to ${n - 1} are`;
  return `${gone} missing in the segment: ${last === 0 ? 'it begins with' : `${last} is followed by`} ${n}`;
}

function judgeDistrusted(trust: Trust, found: FoundLine, header: SegmentLine | undefined): Verdict {
  const { line, place } = found;
  if (line === undefined) {
    trust.isSound = false;
    return SKIPPED;
  }
  const problem = header === undefined ? undefined : chainProblem(trust, header);
  if (problem !== undefined) distrust(trust, place, problem);
  if (!resumeAt(trust.order, line)) return SKIPPED;
  trust.n = found.n;
  report(trust, `, and again from the snapshot of entry ${line.seq} (${place.segment}, line ${place.line})`);
  trust.isAnythingRead = true;
  return DISCONTINUOUS;
}

/** @returns what is wrong between this segment and the one before it, or between its name and its header */
function chainProblem({ file, before }: Trust, { seq, previous }: SegmentLine): string | undefined {
  if (file?.seq !== undefined && file.seq !== seq) {
    return `the header says that the segment begins at entry ${seq}, not at ${file.seq} as the file name does`;
  }
  if (before === undefined) return undefined;
  if (previous === null) return `the header knows of no segment before it, but ${before.name} is there`;
  if (previous.name !== before.name) {
    return `the segment before it is missing: the header says ${previous.name}, and ${before.name} is there`;
  }
  if (!before.isSound || previous.sha256 === before.sha256) return undefined;
  return `the segment before it, ${before.name}, was altered or cut: its SHA-256 is ${before.sha256}, not ${previous.sha256}`;
}

/** A later Reprise keeps the header's `v`, `product`, number and CRC, whatever else it changes, so that this can be said. */
function refuseNewer({ covered, place }: FoundLine): void {
  if (covered === '') return;
  let header: unknown;
  try {
    header = JSON.parse(`${covered}}`);
  } catch {
    return;
  }
  if (typeof header !== 'object' || header === null || !('v' in header) || !('product' in header)) return;
  if (typeof header.v !== 'number' || !Number.isSafeInteger(header.v) || header.v <= LOG_VERSION) return;
  throw new LogRefusedError(
    'LOG_VERSION_UNKNOWN',
    `${place.segment} is of format version ${header.v}, written by Reprise ${header.product}; ` +
      `this Reprise reads up to version ${LOG_VERSION}. Read it with that Reprise or a later one.`,
  );
}
