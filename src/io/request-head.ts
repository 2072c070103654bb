/** The head of a request, as a proxy has to read it: what the parser lets through and must not go on, and its target. */
import type { IncomingMessage } from 'node:http';
import { badFraming, type GatewayError, unsupportedCoding } from './errors.ts';
import { isChunkedOnly, isSaneHost, valuesOf } from './headers.ts';
import { authorityOf, originForm } from './router.ts';

/** @returns why the request must not be passed on, nor any other on its connection; undefined if it may be */
export function problemWithHead(request: IncomingMessage): GatewayError | undefined {
  const { rawHeaders, headers, httpVersion } = request;
  // The parser also takes what has no version at all, or one of another protocol's framing.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') {
    return badFraming(`The request is in HTTP/${httpVersion}; HTTP/1.1 is spoken here.`);
  }
  const hosts = valuesOf(rawHeaders, 'host');
  // RFC 9112 §3.2: exactly one in HTTP/1.1, and never more.
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion === '1.1')) {
    return badFraming(`The request has ${hosts.length} Host headers; it needs one.`);
  }
  // Also where the target's goes before it: two readers must not see two hosts.
  if (!hosts.every(isSaneHost)) return badFraming('The Host header does not name a host.');
  if (!isSaneHost(authorityOf(request.url ?? '/') ?? '')) {
    return badFraming('The target of the request does not name a host.');
  }
  const codings = headers['transfer-encoding'];
  if (codings === undefined) return undefined;
  // RFC 9112 §6.1: both are ways to smuggle a request past one of two servers.
  if (httpVersion === '1.0') return badFraming('A request in HTTP/1.0 cannot have Transfer-Encoding.');
  if (!isChunkedOnly([codings])) return unsupportedCoding(codings);
  return undefined;
}

/** The host in a target of absolute form goes before the one in `Host` (RFC 9112 §3.2.2). */
export function toOriginForm(request: IncomingMessage): void {
  const target = request.url ?? '/';
  if (target.startsWith('/')) return;
  const authority = authorityOf(target);
  request.url = originForm(target);
  if (authority === undefined) return;
  const { rawHeaders } = request;
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (at !== -1) rawHeaders[at + 1] = authority;
  else rawHeaders.push('Host', authority);
}
