/**
 * Header lists on their way through: what concerns one connection only is taken out (RFC 9110 §7.6.1), what
 * the other end should know is added, and everything else keeps its order, case and repeats.
 */
import type { RawHeaders } from '../streams/ports.ts';
import { type FieldNames, fieldNames } from './field-names.ts';
import { createRequestId } from './request-id.ts';

/** Fields of one hop. `Expect` is answered by the gateway itself, and `Trailer` stays, since trailers pass. */
const HOP_BY_HOP = [
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
];

/** Set by the gateway on requests, so that a client cannot speak for it. */
const SET_ON_REQUEST = ['x-forwarded-for', 'x-forwarded-proto', 'x-real-ip', 'x-request-id'];
const SET_ON_RESPONSE = ['x-request-id', 'x-reprise-backend'];
/** Fields that say where a message goes and where it ends; `Connection` has no say in them. */
const NEVER_OF_ONE_HOP = ['content-length', 'host'];

const OFF_REQUESTS = fieldNames([...HOP_BY_HOP, ...SET_ON_REQUEST]);
const OFF_RESPONSES = fieldNames([...HOP_BY_HOP, ...SET_ON_RESPONSE]);
const OFF_INTERIM = fieldNames([...HOP_BY_HOP, 'content-length']);
const OFF_TRAILERS = fieldNames([...HOP_BY_HOP, ...NEVER_OF_ONE_HOP]);

/** The values of one field, in order; the name in lower case. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (isNamed(headers[index] ?? '', name)) values.push(headers[index + 1] ?? '');
  }
  return values;
}

/** The first value of one field, if it occurs; the name in lower case. */
export function firstValueOf(headers: RawHeaders, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (isNamed(headers[index] ?? '', name)) return headers[index + 1];
  }
  return undefined;
}

/** Whether a body comes in chunks and nothing else; the values of all `Transfer-Encoding` there are. */
export function isChunkedOnly([coding = '', ...others]: readonly string[]): boolean {
  // No more is trimmed than llhttp does, Node's and undici's parser: U+00A0 is no space to it, and with a tab behind it sees no chunks.
  // `io/http1` gives values that are trimmed already.
  return others.length === 0 && /^[ \t]*chunked *$/i.test(coding);
}

/** The same list without one field; the very same where it does not occur. The name in lower case. */
export function withoutField(headers: RawHeaders, name: string): RawHeaders {
  return firstValueOf(headers, name) === undefined ? headers : withoutFields(headers, [name]);
}

/** Lengths are compared first, since this is asked of every header of every message. */
function isNamed(field: string, name: string): boolean {
  return field.length === name.length && field.toLowerCase() === name;
}

/** Names that `Connection` lists as belonging to this hop. */
function namedByConnection(value: string): string[] {
  const names = value.split(',').map((token) => token.trim().toLowerCase());
  return names.filter(
    (name) => name !== '' && name !== 'close' && name !== 'keep-alive' && !NEVER_OF_ONE_HOP.includes(name),
  );
}

/** What is left when fields of one hop are taken out, those that `Connection` names among them. */
function endToEnd(headers: RawHeaders, removed: FieldNames): string[] {
  const kept: string[] = [];
  const named: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1] ?? '';
    if (!removed.has(name)) kept.push(name, value);
    else if (isNamed(name, 'connection')) named.push(...namedByConnection(value));
  }
  return named.length === 0 ? kept : withoutFields(kept, named);
}

function withoutFields(headers: RawHeaders, names: readonly string[]): string[] {
  return headers.filter((_, index) => !names.includes((headers[index - (index % 2)] ?? '').toLowerCase()));
}

export type ForwardedFrom = {
  readonly remoteAddress: string;
  readonly protocol: 'http' | 'https';
  readonly requestId: string;
};

/** The headers of a request as a backend gets them; the client's address joins `X-Forwarded-For`. */
export function requestHeaders(headers: RawHeaders, from: ForwardedFrom): string[] {
  const { remoteAddress, protocol, requestId } = from;
  const forwarded = endToEnd(headers, OFF_REQUESTS);
  const before = valuesOf(headers, 'x-forwarded-for');
  const chain = before.length === 0 ? remoteAddress : [...before, remoteAddress].join(', ');
  forwarded.push('X-Forwarded-For', chain, 'X-Forwarded-Proto', protocol);
  forwarded.push('X-Real-IP', remoteAddress, 'X-Request-ID', requestId);
  return forwarded;
}

/** The headers of a backend's answer as the client gets them. */
export function responseHeaders(headers: RawHeaders, requestId: string, backend: string): string[] {
  const passed = endToEnd(headers, OFF_RESPONSES);
  passed.push('X-Request-ID', requestId, 'X-Reprise-Backend', backend);
  return passed;
}

/** Trailers of an answer that may be passed on: none that frames or routes a message (RFC 9110 §6.5.1). */
export function responseTrailers(trailers: RawHeaders): RawHeaders {
  return trailers.length === 0 ? trailers : endToEnd(trailers, OFF_TRAILERS);
}

/** The headers of an answer before the final one, as the client gets them: it has no body (RFC 9110 §8.6). */
export function interimHeaders(headers: RawHeaders): string[] {
  return endToEnd(headers, OFF_INTERIM);
}

/** Headers as they stand in a message (RFC 9112 §5). */
export function fieldLines(headers: RawHeaders): string {
  let lines = '';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    lines += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  return lines;
}

/** A host with or without a port (RFC 3986 §3.2.2), and no user information (RFC 9110 §4.2.4). */
const SANE_HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(?::\d*)?$/i;

/** Whether a `Host` names a host; an empty one is allowed (RFC 9112 §3.2). */
export function isSaneHost(host: string): boolean {
  return SANE_HOST.test(host);
}

const SANE_REQUEST_ID = /^[\w.:+/=@-]{1,128}$/;

/** The client's `X-Request-ID` if it is short and plain, since it goes into logs and headers; else a new one. */
export function requestIdOf(headers: RawHeaders): string {
  const given = firstValueOf(headers, 'x-request-id');
  return given !== undefined && SANE_REQUEST_ID.test(given) ? given : createRequestId();
}
