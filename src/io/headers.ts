/**
 * Header lists on their way through: what concerns one connection only is taken out (RFC 9110 §7.6.1), what
 * the other end should know is added, and everything else keeps its order, case and repeats.
 */
import { randomUUID } from 'node:crypto';
import type { RawHeaders } from '../streams/ports.ts';

/** Fields of one hop. `Expect` is answered by the gateway itself, and `Trailer` stays, since trailers pass. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Set by the gateway on requests, so that a client cannot speak for it. */
const SET_ON_REQUEST: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

const SET_ON_RESPONSE: ReadonlySet<string> = new Set(['x-request-id', 'x-reprise-backend']);

/** The values of one field, in order; the name in lower case. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === name) values.push(headers[index + 1] ?? '');
  }
  return values;
}

/** Names that `Connection` lists as belonging to this hop. */
function namedByConnection(headers: RawHeaders): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (const value of valuesOf(headers, 'connection')) {
    for (const token of value.split(',')) {
      const name = token.trim().toLowerCase();
      if (name === '' || name === 'close' || name === 'keep-alive') continue;
      names ??= new Set();
      names.add(name);
    }
  }
  return names;
}

function endToEnd(headers: RawHeaders, replaced: ReadonlySet<string>): string[] {
  const named = namedByConnection(headers);
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || replaced.has(lower) || named?.has(lower) === true) continue;
    kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}

export type ForwardedFrom = {
  readonly remoteAddress: string;
  readonly protocol: 'http' | 'https';
  readonly requestId: string;
};

/** The headers of a request as a backend gets them; the client's address joins `X-Forwarded-For`. */
export function requestHeaders(headers: RawHeaders, from: ForwardedFrom): string[] {
  const forwarded = endToEnd(headers, SET_ON_REQUEST);
  const chain = [...valuesOf(headers, 'x-forwarded-for'), from.remoteAddress].join(', ');
  forwarded.push(
    ...['X-Forwarded-For', chain],
    ...['X-Forwarded-Proto', from.protocol],
    ...['X-Real-IP', from.remoteAddress],
    ...['X-Request-ID', from.requestId],
  );
  return forwarded;
}

/** The headers of a backend's answer as the client gets them. */
export function responseHeaders(headers: RawHeaders, requestId: string, backend: string): string[] {
  const passed = endToEnd(headers, SET_ON_RESPONSE);
  passed.push('X-Request-ID', requestId, 'X-Reprise-Backend', backend);
  return passed;
}

const SANE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/;

/** The client's `X-Request-ID` if it is short and plain, since it goes into logs and headers; else a new one. */
export function requestIdOf(headers: RawHeaders): string {
  const given = valuesOf(headers, 'x-request-id')[0];
  return given !== undefined && SANE_REQUEST_ID.test(given) ? given : randomUUID();
}
