/** The strict reading of answers: what a backend has framed, and what a client is given. */
import { type Body, readChunks, readLength } from './chunks.ts';
import {
  type Field,
  framingOf,
  incomplete,
  listOf,
  malformed,
  quote,
  type Reading,
  readFields,
  readLines,
} from './fields.ts';
import { behindEmptyLines } from './requests.ts';

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
  /**
   * Takes what some readers take and others do not, where it leaves no doubt about the framing: other names and versions of
   * the protocol, any reason phrase, empty lines in front, and interim answers that were not asked for or say more than they may.
   */
  readonly isLenient?: boolean;
};

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/;
const LENIENT_STATUS_LINE = /^(?:HTTP|RTSP|ICE)\/\d\.(\d) ([1-9]\d\d)(?: .*)?$/s;

/** Reads the next final answer; those before it (1xx) are passed over. */
export function readResponse(text: string, from: number, options: ReadOptions): Reading<ResponseRead> {
  const { isLenient = false } = options;
  let at = from;
  for (;;) {
    if (isLenient) at = behindEmptyLines(text, at);
    const firstEnd = text.indexOf('\r\n', at);
    if (firstEnd === -1) return incomplete('within a status line');
    const first = text.slice(at, firstEnd);
    const [, minor = '', code = ''] = (isLenient ? LENIENT_STATUS_LINE : STATUS_LINE).exec(first) ?? [];
    if (code === '') return malformed(`not a status line: ${quote(first)}`);
    const lines = readLines(text, firstEnd + 2);
    if ('fault' in lines) return lines;
    const fields = readFields(lines.ok);
    if ('fault' in fields) return fields;
    const status = Number(code);
    if (status === 101) return malformed(`the status ${status}`);
    if (status < 200 && !isLenient && frames(fields))
      return malformed(`an answer with ${status} that frames`);
    at = lines.end;
    if (status >= 200) return readBody(text, at, { status, fields, version: `1.${minor}` }, options);
  }
}

/** What an interim answer has no say in (RFC 9110 §15.2, RFC 9112 §6.1). */
function frames(fields: readonly Field[]): boolean {
  return framingOf(fields, '1.1').kind !== 'none' || listOf(fields, 'connection').includes('close');
}

type Head = { readonly status: number; readonly fields: readonly Field[]; readonly version: string };

function readBody(
  text: string,
  from: number,
  { status, fields, version }: Head,
  { bodiless, isClosed, isLenient }: ReadOptions,
): Reading<ResponseRead> {
  const as = (how: ResponseRead['framing'], body: Reading<Body>): Reading<ResponseRead> =>
    'fault' in body ? body : { ok: { status, fields, framing: how, ...body.ok }, end: body.end };
  // Chunks in HTTP/1.0 are faulty, and yet to be processed as what they are (RFC 9112 §6.1).
  const framing = framingOf(fields, isLenient ? '1.1' : version);
  if (framing.kind === 'doubtful') return malformed(framing.why);
  if (bodiless || status === 204 || status === 304) return as('none', readLength(text, from, 0));
  if (framing.kind === 'length') return as('length', readLength(text, from, framing.length));
  if (framing.kind === 'chunked') return as('chunked', readChunks(text, from));
  return isClosed ? as('close', readLength(text, from, text.length - from)) : incomplete('not closed yet');
}
