/** The strict reading of a body that is framed by a length or by chunks (RFC 9112 §6.3, §7.1). */
import {
  type Field,
  hasBareEnd,
  incomplete,
  malformed,
  quote,
  type Reading,
  readFields,
  readLines,
} from './fields.ts';

export type Body = { readonly body: string; readonly trailers: readonly Field[] };

/** A size and maybe extensions, which may hold quoted strings. */
const CHUNK_LINE = /^([\da-fA-F]+)(?:[ \t]*;[ \t]*[\x21-\x7e][\t\x20-\x7e]*)?$/;

export function readLength(text: string, from: number, length: number): Reading<Body> {
  const end = from + length;
  if (text.length < end) return incomplete('within a body');
  return { ok: { body: text.slice(from, end), trailers: [] }, end };
}

export function readChunks(text: string, from: number): Reading<Body> {
  let body = '';
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const line = text.slice(at, lineEnd === -1 ? text.length : lineEnd);
    if (hasBareEnd(line)) return malformed(`a bare CR or LF in ${quote(line)}`);
    if (lineEnd === -1) return incomplete('within a chunk size');
    const size = Number.parseInt(CHUNK_LINE.exec(line)?.[1] ?? '', 16);
    if (!Number.isSafeInteger(size)) return malformed(`not a chunk size: ${quote(line)}`);
    at = lineEnd + 2;
    if (size === 0) break;
    const end = at + size;
    body += text.slice(at, end);
    const behind = text.slice(end, end + 2);
    if (!'\r\n'.startsWith(behind)) return malformed('a chunk that is longer than its size');
    if (behind.length < 2) return incomplete('within a chunk');
    at = end + 2;
  }
  const lines = readLines(text, at);
  if ('fault' in lines) return lines;
  const trailers = readFields(lines.ok);
  if ('fault' in trailers) return trailers;
  return { ok: { body, trailers }, end: lines.end };
}
