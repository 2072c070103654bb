/** What an honest backend answers: whose request it got, and what was in it, so that a client knows its own answer. */
import { crc32 } from 'node:zlib';
import type { RequestRead } from './http/requests.ts';

/** @param address the one the gateway says the client has */
export function echoOf({ method, target, host, body }: RequestRead, address: string): string {
  const sum = crc32(Buffer.from(body, 'latin1')).toString(16);
  return `echo ${address} ${method} ${target} ${host || '-'} ${body.length} ${sum}\n`;
}

/** The echo as a message; large or small, by a length or in chunks, as its text decides. */
export function echoMessage(request: RequestRead, address: string): string {
  const body = echoOf(request, address);
  const isChunked = crc32(body) % 2 === 0;
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n`;
  if (request.method === 'HEAD') return `${head}Content-Length: ${body.length}\r\n\r\n`;
  if (!isChunked) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}
