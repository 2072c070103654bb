/** The head of a request as it is sent to a backend (RFC 9112 §3). */
import { Readable } from 'node:stream';
import type { UpstreamRequest } from '../../streams/ports.ts';
import { fieldLines, firstValueOf } from '../headers.ts';

/** Methods whose requests have content as a rule, and say so when they have none (RFC 9110 §8.6). */
const WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH']);

/** Whether the body of a request goes out in chunks, since nobody knows how long it will be. */
export function isSentInChunks({ body, headers }: UpstreamRequest): boolean {
  return body instanceof Readable && firstValueOf(headers, 'content-length') === undefined;
}

/** @returns the head with the empty line at its end. @param host what is asked for where the client, of HTTP/1.0, has named no host */
export function requestHeadOf(request: UpstreamRequest, host: string): string {
  const { method, target, headers, upgrade } = request;
  const named = firstValueOf(headers, 'host') === undefined ? `Host: ${host}\r\n` : '';
  const connection =
    upgrade === undefined ? 'Connection: keep-alive\r\n' : `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${named}${connection}${fieldLines(headers)}${framingFieldOf(request)}\r\n`;
}

/** `Transfer-Encoding` was taken out as a field of the client's hop; a `Content-Length` stands as it came. */
function framingFieldOf(request: UpstreamRequest): string {
  const { method, headers, body } = request;
  if (firstValueOf(headers, 'content-length') !== undefined) return '';
  if (isSentInChunks(request)) return 'Transfer-Encoding: chunked\r\n';
  if (body instanceof Uint8Array) return `Content-Length: ${body.byteLength}\r\n`;
  return WITH_CONTENT.has(method) ? 'Content-Length: 0\r\n' : '';
}
