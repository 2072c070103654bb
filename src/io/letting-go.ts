/**
 * Prompts are not held while their answers stream. undici holds the body it is given until the answer has ended, which may be
 * minutes after the last byte of it was sent; a stream that it holds is empty by then.
 */
import { Readable } from 'node:stream';
import type { UpstreamRequest } from '../streams/ports.ts';

/** A shorter one is not worth a stream, which costs up to 0.3 ms of CPU, most of it in collections of garbage. */
const WORTH_A_STREAM_BYTES = 32 * 1024;

/** @returns the same body, as a stream of known length if it is long */
export function lettingGo(body: UpstreamRequest['body']): UpstreamRequest['body'] {
  if (body === null || body instanceof Readable || body.length < WORTH_A_STREAM_BYTES) return body;
  const stream = new Readable({ read() {} });
  // Both at once, and undici sees how long it is.
  stream.push(body);
  stream.push(null);
  return stream;
}
