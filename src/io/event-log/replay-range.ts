/** From where to where a log is replayed: a point is an entry's number or a time, and people write it in several forms. */
import { readHeader, readLog } from './reader.ts';
import type { SegmentFile } from './reader-files.ts';

/** `at` is in milliseconds since the epoch. */
export type Point = { readonly seq: number } | { readonly at: number };

/** A point as written; the time of a day is one only once it is known which day. */
export type WrittenPoint = Point | { readonly timeOfDayMs: number };

/** Fewer digits are a seq: milliseconds since the epoch have 13 since 2001. */
const EPOCH_MS_DIGITS = 13;
const DAY_MS = 86_400_000;
const TIME_OF_DAY = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,3})?)?$/;
const ISO_8601 = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * @param text a seq, milliseconds since the epoch, ISO 8601 (local where it names no zone), or a local time of day as
 *   `HH:MM[:SS]`
 * @returns undefined if it is none of them
 */
export function parsePoint(text: string): WrittenPoint | undefined {
  if (/^\d{1,16}$/.test(text)) {
    return text.length < EPOCH_MS_DIGITS ? { seq: Number(text) } : { at: Number(text) };
  }
  const time = TIME_OF_DAY.exec(text);
  if (time !== null) {
    const [, hours, minutes, seconds = '0', fraction = ''] = time;
    const wholeMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
    return { timeOfDayMs: wholeMs + Number(`0${fraction}`) * 1000 };
  }
  if (!ISO_8601.test(text)) return undefined;
  // A date alone would be read as UTC, and a date with a time as local.
  const at = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(at) ? undefined : { at };
}

/** @returns the last time before `end` at which a local clock showed this */
export function lastTimeOfDay(timeOfDayMs: number, end: number): number {
  const at = new Date(end);
  at.setHours(0, 0, 0, timeOfDayMs);
  if (at.getTime() > end) {
    at.setTime(end - DAY_MS);
    at.setHours(0, 0, 0, timeOfDayMs);
  }
  return at.getTime();
}

/** When the last line of the log was written; undefined if its last segment has none that can be read. */
export async function endOfLog(path: string): Promise<number | undefined> {
  let end: number | undefined;
  const log = readLog(path, { onDamage() {}, choose: async (segments) => segments.slice(-1) });
  for await (const batch of log) end = batch.at(-1)?.line.at;
  return end;
}

export function isBeyond(line: { readonly seq: number; readonly at: number }, point: Point): boolean {
  return 'seq' in point ? line.seq > point.seq : line.at > point.at;
}

export function isReached(line: { readonly seq: number; readonly at: number }, point: Point): boolean {
  return 'seq' in point ? line.seq >= point.seq : line.at >= point.at;
}

/** @returns whether a range is one that ends before it begins; of an entry and a time only the log can tell */
export function isBackwards(from: Point, until: Point): boolean {
  if ('seq' in from) return 'seq' in until && until.seq < from.seq;
  return 'at' in until && until.at < from.at;
}

/** @returns the segments from the last one on that begins at or before the point; all if none does */
export async function chooseFrom(
  segments: readonly SegmentFile[],
  from: Point,
): Promise<readonly SegmentFile[]> {
  for (let index = segments.length - 1; index > 0; index -= 1) {
    const segment = segments[index];
    if (segment !== undefined && (await beginsBy(segment, from))) return segments.slice(index);
  }
  return segments;
}

async function beginsBy(segment: SegmentFile, point: Point): Promise<boolean> {
  if ('seq' in point) return segment.seq !== undefined && segment.seq <= point.seq;
  const header = await readHeader(segment);
  return header !== undefined && header.at <= point.at;
}
