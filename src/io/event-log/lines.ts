/**
 * A line of the log as text: JSON with a CRC-32 of everything before it as its last member, so that `jq` and `grep`
 * read it and a flipped bit is seen.
 *
 *     {"v":1,"seq":7,"at":1795430483115,"fact":{...},"decisions":[...],"crc":2872155345}
 *      `------------------------- covered by the CRC ---------------'
 */
import { crc32 } from 'node:zlib';
import { LOG_VERSION, type LogLine } from '../../actors/log-lines.ts';

const CRC_MEMBER = ',"crc":';
const CRC_MEMBER_BYTES = Buffer.from(CRC_MEMBER);
const LONGEST_CRC = '4294967295'.length;
const BRACE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;

/** @returns the line with its CRC and a newline */
export function encodeLine(line: LogLine): string {
  const covered = JSON.stringify(line).slice(0, -1);
  return `${covered}${CRC_MEMBER}${crc32(covered)}}\n`;
}

export type Decoded =
  | { readonly ok: true; readonly line: LogLine }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a line back, without its newline.
 *
 * @returns the line, or what is wrong with it in words: it is not complete, its CRC does not fit, or it is of a version
 *   that this reader does not know
 */
export function decodeLine(text: string): Decoded {
  const bytes = Buffer.from(text);
  const end = checkCrc(bytes, 0, bytes.length);
  return typeof end === 'string' ? { ok: false, problem: end } : parseCovered(bytes.toString('utf8', 0, end));
}

/**
 * Checks the CRC of the line that stands in `bytes` from `start` to `end`, without its newline. Readers of whole logs
 * use it, since there one copy of each line into a buffer of its own would cost more than the check.
 *
 * @returns where the covered part ends, or what is wrong in words
 */
export function checkCrc(bytes: Buffer, start: number, end: number): number | string {
  let digit = end - 2;
  let written = 0;
  let scale = 1;
  for (; digit > start && end - 2 - digit < LONGEST_CRC; digit -= 1) {
    const code = bytes[digit] ?? 0;
    if (code < ZERO || code > NINE) break;
    written += (code - ZERO) * scale;
    scale *= 10;
  }
  const covered = digit + 1 - CRC_MEMBER.length;
  if (bytes[end - 1] !== BRACE || scale === 1 || covered < start || !hasCrcMember(bytes, covered)) {
    return 'the line is not complete';
  }
  const computed = crc32(bytes.subarray(start, covered));
  // A leading zero is not what the writer writes, so it is an alteration too.
  if (written === computed && String(written).length === end - 2 - digit) return covered;
  return `the line was altered: its CRC is ${computed}, not the ${bytes.toString('latin1', digit + 1, end - 1)} it carries`;
}

function hasCrcMember(bytes: Buffer, at: number): boolean {
  for (let index = 0; index < CRC_MEMBER_BYTES.length; index += 1) {
    if (bytes[at + index] !== CRC_MEMBER_BYTES[index]) return false;
  }
  return true;
}

/** @param covered the text of a line up to its CRC member, as `checkCrc` found it */
export function parseCovered(covered: string): Decoded {
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
