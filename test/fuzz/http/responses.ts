/** The strict reading of answers: what a backend has framed, and what a client is given. */
import { type Body, readChunks, readLength } from './chunks.ts';
import {
  type Field,
  framingOf,
  incomplete,
  malformed,
  quote,
  type Reading,
  readFields,
  readLines,
} from './fields.ts';

export type ResponseRead = Body & {
  readonly status: number;
  readonly fields: readonly Field[];
  /** How its end was told. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
};

export type ReadOptions = {
  /** Whether it answers a HEAD. */
  readonly bodiless: boolean;
  /** Whether the connection was closed in order behind the text. */
  readonly isClosed: boolean;
};

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/;

/** Reads the next final answer; those before it (1xx) are passed over. */
export function readResponse(text: string, from: number, options: ReadOptions): Reading<ResponseRead> {
  let at = from;
  for (;;) {
    const lines = readLines(text, at);
    if ('fault' in lines) return lines;
    const [first = '', ...rest] = lines.ok;
    const [, minor = '', code = ''] = STATUS_LINE.exec(first) ?? [];
    if (code === '') return malformed(`not a status line: ${quote(first)}`);
    const fields = readFields(rest);
    if ('fault' in fields) return fields;
    const status = Number(code);
    if (status >= 600 || status === 101) return malformed(`the status ${status}`);
    at = lines.end;
    if (status >= 200) return readBody(text, at, { status, fields, version: `1.${minor}` }, options);
  }
}

type Head = { readonly status: number; readonly fields: readonly Field[]; readonly version: string };

function readBody(
  text: string,
  from: number,
  { status, fields, version }: Head,
  { bodiless, isClosed }: ReadOptions,
): Reading<ResponseRead> {
  const as = (how: ResponseRead['framing'], body: Reading<Body>): Reading<ResponseRead> =>
    'fault' in body ? body : { ok: { status, fields, framing: how, ...body.ok }, end: body.end };
  const framing = framingOf(fields, version);
  if (framing.kind === 'doubtful') return malformed(framing.why);
  if (bodiless || status === 204 || status === 304) return as('none', readLength(text, from, 0));
  if (framing.kind === 'length') return as('length', readLength(text, from, framing.length));
  if (framing.kind === 'chunked') return as('chunked', readChunks(text, from));
  return isClosed ? as('close', readLength(text, from, text.length - from)) : incomplete('not closed yet');
}
