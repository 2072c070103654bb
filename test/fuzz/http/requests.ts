/** The strict reading of requests: what a client has framed, and where that ends. */
import { type Body, readChunks, readLength } from './chunks.ts';
import {
  type Failure,
  type Field,
  framingOf,
  listOf,
  malformed,
  quote,
  type Reading,
  readFields,
  readLines,
  TOKEN,
  valuesOf,
} from './fields.ts';

export type RequestRead = Body & {
  readonly method: string;
  /** In origin form. */
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
  /** What `Host` says, or the target in absolute form (RFC 9112 §3.2.2). */
  readonly host: string;
};

export type Stream = {
  readonly requests: readonly RequestRead[];
  /** What is behind the last whole request. */
  readonly tail: Failure | { readonly fault: 'none' | 'closed'; readonly why: string };
};

/** Runs of spaces between its parts may be taken for one (RFC 9112 §3). Node's parser takes RTSP and ICE for other names of HTTP, and tells nobody; they frame as HTTP does. */
const REQUEST_LINE = /^(\S+) +([\x21-\x7e\x80-\xff]+) +(?:HTTP|RTSP|ICE)\/(1\.[01])$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(?::\d*)?$/i;

/** All requests at the front of what one connection has carried. */
export function readRequests(text: string): Stream {
  const requests: RequestRead[] = [];
  let at = 0;
  for (;;) {
    at = behindEmptyLines(text, at);
    if (at >= text.length) return { requests, tail: { fault: 'none', why: 'the end' } };
    const request = readRequest(text, at);
    if ('fault' in request) return { requests, tail: request };
    requests.push(request.ok);
    at = request.end;
    if (closes(request.ok)) return { requests, tail: { fault: 'closed', why: 'behind a last request' } };
  }
}

/** Reads one request. */
export function readRequest(text: string, from: number): Reading<RequestRead> {
  const lines = readLines(text, from);
  if ('fault' in lines) return lines;
  const [first = '', ...rest] = lines.ok;
  const [, method = '', target = '', version = ''] = REQUEST_LINE.exec(first) ?? [];
  if (!TOKEN.test(method)) return malformed(`not a request line: ${quote(first)}`);
  if (method === 'CONNECT' || method === 'PRI') return malformed(`a ${method}`);
  const fields = readFields(rest);
  if ('fault' in fields) return fields;
  const hosts = valuesOf(fields, 'host');
  if (
    hosts.length > 1 ||
    (hosts.length === 0 && version === '1.1') ||
    !hosts.every((each) => HOST.test(each))
  ) {
    return malformed(`the hosts ${hosts}`);
  }
  const body = readBody(text, lines.end, fields, version);
  if ('fault' in body) return body;
  const [, authority, path = ''] = ABSOLUTE.exec(target) ?? [];
  if (!HOST.test(authority ?? '')) return malformed(`the target ${quote(target)}`);
  const origin = authority === undefined ? target : path.startsWith('/') ? path : `/${path}`;
  const host = authority || hosts[0] || '';
  return { ok: { method, target: origin, version, fields, host, ...body.ok }, end: body.end };
}

function readBody(text: string, from: number, fields: readonly Field[], version: string): Reading<Body> {
  const framing = framingOf(fields, version);
  switch (framing.kind) {
    case 'none':
      return readLength(text, from, 0);
    case 'length':
      return readLength(text, from, framing.length);
    case 'chunked':
      return readChunks(text, from);
    case 'doubtful':
      return malformed(framing.why);
  }
}

/**
 * Whether nothing may be served behind this request (RFC 9112 §9.3, §9.6); nor behind one for another protocol, since the parser
 * may have dropped what is in between.
 */
function closes({ fields, version }: RequestRead): boolean {
  const options = listOf(fields, 'connection');
  if (valuesOf(fields, 'upgrade').length > 0) return true;
  return options.includes('close') || (version === '1.0' && !options.includes('keep-alive'));
}

/** Empty lines in front of a request are ignored (RFC 9112 §2.2); some ignore them in front of an answer as well. */
export function behindEmptyLines(text: string, from: number): number {
  let at = from;
  while (text[at] === '\r' || text[at] === '\n') at += 1;
  return at;
}
