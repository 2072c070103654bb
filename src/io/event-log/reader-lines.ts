/**
 * Cuts the bytes of a segment into lines and decodes each. Lines in one chunk share its text, so that a line costs no
 * copy; only the line that two chunks share is put together, within a bound.
 */
import { isAscii } from 'node:buffer';
import type { LogLine } from '../../actors/log-lines.ts';
import { checkCrc, parseCovered } from './lines.ts';

/** No line that Reprise writes comes near; what is longer is not a log. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

export type Place = {
  /** The file's name. */
  readonly segment: string;
  /** From 1. */
  readonly line: number;
  /** Offset in the uncompressed segment. */
  readonly byte: number;
};

/** A line as it stands there, whole or not. */
export type FoundLine = {
  readonly place: Place;
  /** Up to its number. */
  readonly covered: string;
} & ({ readonly line: LogLine; readonly n: number } | { readonly line: undefined; readonly problem: string });

export type LineSplitter = {
  /** @returns the lines that end in this chunk */
  push(chunk: Buffer): FoundLine[];
  /** What stands behind the last newline. */
  rest(): { readonly place: Place; readonly bytes: number };
};

export function createLineSplitter(segment: string): LineSplitter {
  let line = 1;
  let byte = 0;
  /** The beginning of a line whose end has not come yet; dropped once it is too long to be one. */
  let begun: Buffer[] = [];
  let begunBytes = 0;

  const keep = (piece: Buffer) => {
    begunBytes += piece.length;
    if (begunBytes > MAX_LINE_BYTES) begun = [];
    else if (piece.length > 0) begun.push(Buffer.from(piece));
  };

  const advance = (bytes: number): Place => {
    const place = { segment, line, byte };
    line += 1;
    byte += bytes + 1;
    return place;
  };

  /** The line that began in an earlier chunk. */
  const joined = (end: Buffer): FoundLine => {
    keep(end);
    const whole = Buffer.concat(begun);
    const place = advance(begunBytes);
    const tooLong = begunBytes > MAX_LINE_BYTES;
    begun = [];
    begunBytes = 0;
    if (tooLong) return { place, covered: '', line: undefined, problem: 'the line is longer than 64 MiB' };
    return decode(place, whole, 0, whole.length, undefined);
  };

  return {
    push(chunk) {
      const found: FoundLine[] = [];
      let start = 0;
      let end = chunk.indexOf(NEWLINE);
      if (begunBytes > 0 && end !== -1) {
        found.push(joined(chunk.subarray(0, end)));
        start = end + 1;
        end = chunk.indexOf(NEWLINE, start);
      }
      // One character is one byte then, so that lines are cut out of one text without being copied.
      const text = end !== -1 && isAscii(chunk) ? chunk.toString('latin1') : undefined;
      while (end !== -1) {
        found.push(decode(advance(end - start), chunk, start, end, text));
        start = end + 1;
        end = text === undefined ? chunk.indexOf(NEWLINE, start) : text.indexOf('\n', start);
      }
      keep(chunk.subarray(start));
      return found;
    },
    rest: () => ({ place: { segment, line, byte }, bytes: begunBytes }),
  };
}

function decode(
  place: Place,
  bytes: Buffer,
  start: number,
  end: number,
  text: string | undefined,
): FoundLine {
  const checked = checkCrc(bytes, start, end);
  if (typeof checked === 'string') return { place, covered: '', line: undefined, problem: checked };
  const { end: own, n } = checked;
  const covered = text === undefined ? bytes.toString('utf8', start, own) : text.slice(start, own);
  const parsed = parseCovered(covered);
  if (parsed.ok) return { place, covered, line: parsed.line, n };
  return { place, covered, line: undefined, problem: parsed.problem };
}
