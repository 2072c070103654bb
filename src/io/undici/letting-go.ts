/**
 * Lets the memory of a prompt be freed while its answer streams. undici keeps a reference to the request body until the answer
 * has ended, which may be minutes after the body was sent. A buffer stays in memory as long; a stream has been emptied.
 */
import { Readable } from 'node:stream';
import type { UpstreamRequest } from '../../streams/ports.ts';

/** A shorter body is not worth a stream, which costs up to 0.3 ms of CPU, most of it garbage collection. */
const WORTH_A_STREAM_BYTES = 32 * 1024;

/** @returns a long body as a stream, a short one as it is */
export function lettingGo(body: UpstreamRequest['body']): UpstreamRequest['body'] {
  if (body === null || body instanceof Readable || body.length < WORTH_A_STREAM_BYTES) return body;
  const stream = new Readable({ read() {} });
  // Pushed together with its end before undici looks, so that undici sees its length and sends no chunks.
  stream.push(body);
  stream.push(null);
  return stream;
}
