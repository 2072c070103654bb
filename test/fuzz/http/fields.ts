/**
 * The strict reading of HTTP/1.1 heads (RFC 9112) that the fuzzer judges by. It is written from the RFC, apart from all
 * parsers of the product, and takes nothing that two readers could take differently. Text is latin1: a character is a byte.
 */

export type Field = readonly [name: string, value: string];

/** How a message is framed, or why that is in doubt. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'doubtful'; readonly why: string };

/** A piece of a message, or why there is none. */
export type Reading<Result> = { readonly ok: Result; readonly end: number } | Failure;
export type Failure = { readonly fault: 'incomplete' | 'malformed'; readonly why: string };

export const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const FIELD = /^([^:]*):[ \t]*((?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)[ \t]*$/;
/** Longest piece of a line that is quoted in a complaint. */
const QUOTED = 60;

export function malformed(why: string): Failure {
  return { fault: 'malformed', why };
}

export function incomplete(why: string): Failure {
  return { fault: 'incomplete', why };
}

export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text);
}

/** Whether a line holds what is no part of any: LF or NUL, or CR that is not the beginning of its end. */
export function hasBareEnd(line: string): boolean {
  return line.includes('\n') || line.includes('\0') || line.slice(0, -1).includes('\r');
}

/** Reads lines up to the empty one: field lines, and before them a start line if there is one. */
export function readLines(text: string, from: number): Reading<string[]> {
  const lines: string[] = [];
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    const line = text.slice(at, end === -1 ? text.length : end);
    if (/[\n\0]/.test(line) || /\r(?!$)/.test(line))
      return malformed(`a bare CR, LF or NUL in ${quote(line)}`);
    if (end === -1) return incomplete('within a head');
    at = end + 2;
    if (line === '') return { ok: lines, end: at };
    lines.push(line);
  }
}

export function readFields(lines: readonly string[]): Field[] | Failure {
  const fields: Field[] = [];
  for (const line of lines) {
    const match = FIELD.exec(line);
    const [, name = '', value = ''] = match ?? [];
    if (match === null || !TOKEN.test(name)) return malformed(`not a field: ${quote(line)}`);
    fields.push([name, value]);
  }
  return fields;
}

export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

/** The members of a list-valued field, in lower case. */
export function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name).flatMap((value) => value.split(',').map((each) => each.trim().toLowerCase()));
}

/** What the fields say of the framing (RFC 9112 §6.3), for either kind of message. */
export function framingOf(fields: readonly Field[], version: string): Framing {
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  const [length, ...others] = lengths;
  if (codings.length > 0) {
    if (lengths.length > 0) return { kind: 'doubtful', why: 'a length and a transfer coding' };
    if (version === '1.0') return { kind: 'doubtful', why: 'a transfer coding in HTTP/1.0' };
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    return isChunked ? { kind: 'chunked' } : { kind: 'doubtful', why: `the transfer coding ${codings}` };
  }
  if (length === undefined) return { kind: 'none' };
  if (others.length > 0) return { kind: 'doubtful', why: 'several lengths' };
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length))) {
    return { kind: 'doubtful', why: `the length ${quote(length)}` };
  }
  return { kind: 'length', length: Number(length) };
}
