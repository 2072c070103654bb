/**
 * A line of the log as text: JSON with two more members at its end, so that `jq` and `grep` read it. Its number within the
 * segment shows that a line is gone, repeated or out of place; a CRC-32 of everything before it shows a flipped bit.
 *
 *     {"v":1,"seq":7,"at":1795430483115,"fact":{...},"decisions":[...],"n":9,"crc":2872155345}
 *      `------------------------- covered by the CRC ---------------------'
 *
 * A CRC that goes on from that of the line before would show both without a number, but a flipped bit in one CRC would
 * then cost two lines, and the end of a log could not be judged by its last line.
 */
import { crc32 } from 'node:zlib';
import { LOG_VERSION, type LogLine } from '../../actors/log-lines.ts';

const NUMBER_MEMBER = Buffer.from(',"n":');
const CRC_MEMBER = Buffer.from(',"crc":');
const LONGEST_CRC = '4294967295'.length;
const LONGEST_NUMBER = String(Number.MAX_SAFE_INTEGER).length;
const BRACE = 0x7d;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
const MOST_IN_31_BITS = 2 ** 31 - 1;
/** A UTF-16 unit becomes three bytes at most. */
const MOST_BYTES_PER_UNIT = 3;
const MOST_BYTES_BEHIND =
  NUMBER_MEMBER.length + LONGEST_NUMBER + CRC_MEMBER.length + LONGEST_CRC + '}\n'.length;

/** How many bytes a line needs at most. @param json as for `writeLine` */
export function mostBytesOf(json: string): number {
  return json.length * MOST_BYTES_PER_UNIT + MOST_BYTES_BEHIND;
}

/**
 * Writes a line with its number, its CRC and a newline straight into the bytes: putting its text together first and taking
 * the CRC of that took as long again as making the JSON.
 *
 * @param bytes with room for `mostBytesOf(json)` from `start` on
 * @param json an object
 * @param n the number of the line within its segment; the header is 1
 * @returns where the line ends
 */
export function writeLine(bytes: Buffer, start: number, json: string, n: number): number {
  const brace = start + bytes.write(json, start) - 1;
  const covered = writeMember(bytes, brace, NUMBER_MEMBER, n);
  const end = writeMember(bytes, covered, CRC_MEMBER, crc32(bytes.subarray(start, covered)));
  bytes[end] = BRACE;
  bytes[end + 1] = NEWLINE;
  return end + 2;
}

/** @param value a whole number, 0 or more @returns where the member ends */
function writeMember(bytes: Buffer, start: number, name: Buffer, value: number): number {
  for (let index = 0; index < name.length; index += 1) bytes[start + index] = name[index] ?? 0;
  return writeDigits(bytes, start + name.length, value);
}

/** @returns where the digits end */
function writeDigits(bytes: Buffer, start: number, value: number): number {
  // A number beyond 31 bits is written in two parts, since integer division within 31 bits is much faster.
  const front = value > MOST_IN_31_BITS ? Math.floor(value / 1e9) : 0;
  const first = front === 0 ? start : writeDigits(bytes, start, front);
  const back = (value - front * 1e9) | 0;
  let end = first + (front === 0 ? 1 : 9);
  if (front === 0) for (let rest = (back / 10) | 0; rest > 0; rest = (rest / 10) | 0) end += 1;
  for (let at = end - 1, rest = back; at >= first; at -= 1) {
    const tens = (rest / 10) | 0;
    bytes[at] = ZERO + rest - tens * 10;
    rest = tens;
  }
  return end;
}

/**
 * @param n the number of the line within its segment; the header is 1
 * @returns the line with its number, its CRC and a newline
 */
export function encodeLine(line: LogLine, n: number): string {
  const json = JSON.stringify(line);
  const bytes = Buffer.allocUnsafe(mostBytesOf(json));
  return bytes.toString('utf8', 0, writeLine(bytes, 0, json, n));
}

type Wrong = { readonly ok: false; readonly problem: string };
type Parsed = { readonly ok: true; readonly line: LogLine } | Wrong;
export type Decoded = { readonly ok: true; readonly line: LogLine; readonly n: number } | Wrong;

/**
 * Reads a line back, without its newline.
 *
 * @returns the line and its number, or what is wrong with it in words: it is not complete, its CRC does not fit, or it is
 *   of a version that this reader does not know
 */
export function decodeLine(text: string): Decoded {
  const bytes = Buffer.from(text);
  const sealed = checkCrc(bytes, 0, bytes.length);
  if (typeof sealed === 'string') return { ok: false, problem: sealed };
  const parsed = parseCovered(bytes.toString('utf8', 0, sealed.end));
  return parsed.ok ? { ...parsed, n: sealed.n } : parsed;
}

/** A line whose CRC fits. */
type Sealed = {
  /** Where its own members end, which is where its number begins. */
  readonly end: number;
  readonly n: number;
};

/**
 * Checks the CRC of the line that stands in `bytes` from `start` to `end`, without its newline. It works on the bytes of
 * many lines, since one copy of each line into a buffer of its own would cost more than the check.
 *
 * @returns what it found, or what is wrong in words: the line is not complete, or its CRC does not fit
 */
export function checkCrc(bytes: Buffer, start: number, end: number): Sealed | string {
  const crc = endOfMember(bytes, CRC_MEMBER, start, end - 1);
  if (bytes[end - 1] !== BRACE || crc === undefined || end - 1 - crc.digits > LONGEST_CRC) {
    return 'the line is not complete';
  }
  const computed = crc32(bytes.subarray(start, crc.begin));
  // A leading zero is not what the writer writes, so it is an alteration too.
  if (crc.value !== computed || String(computed).length !== end - 1 - crc.digits) {
    const written = bytes.toString('latin1', crc.digits, end - 1);
    return `the line was altered: its CRC is ${computed}, not the ${written} it carries`;
  }
  const number = endOfMember(bytes, NUMBER_MEMBER, start, crc.begin);
  return number === undefined ? 'the line has no number' : { end: number.begin, n: number.value };
}

type Member = { readonly begin: number; readonly digits: number; readonly value: number };

/** The member with a whole number that ends at `end`: where it begins, where its digits do, and its value. */
function endOfMember(bytes: Buffer, name: Buffer, start: number, end: number): Member | undefined {
  let digits = end;
  let value = 0;
  for (let scale = 1; digits > start; digits -= 1, scale *= 10) {
    const code = bytes[digits - 1] ?? 0;
    if (code < ZERO || code > NINE) break;
    value += (code - ZERO) * scale;
  }
  const begin = digits - name.length;
  if (digits === end || begin < start) return undefined;
  for (let index = 0; index < name.length; index += 1) {
    if (bytes[begin + index] !== name[index]) return undefined;
  }
  return { begin, digits, value };
}

/** @param covered the text of a line up to its number, as `checkCrc` found it */
export function parseCovered(covered: string): Parsed {
  try {
    const line: LogLine = JSON.parse(`${covered}}`);
    if (line.v === LOG_VERSION) return { ok: true, line };
    return {
      ok: false,
      problem: `the line is of format version ${line.v}; this Reprise reads version ${LOG_VERSION}`,
    };
  } catch (error) {
    return { ok: false, problem: `the line is not JSON: ${String(error)}` };
  }
}
