/**
 * The body of an answer into a `ServerResponse`, in as few pieces as there can be. Each piece that node gets costs as much
 * as a short body itself, and several of them go out by `writev`, which costs more than `write`.
 */
import type { ServerResponse } from 'node:http';

/** Up to here a copy costs less than a piece more. */
const MOST_COPIED = 8 * 1024;

/**
 * Writes a chunk of a chunked answer (RFC 9112 §7.1), of at least one byte.
 *
 * @returns false if the client should be waited for
 */
export function writeChunk(response: ServerResponse, chunk: Uint8Array): boolean {
  if (chunk.byteLength === 0) return true;
  const size = chunk.byteLength.toString(16);
  // Node would make four pieces of a chunk: its size, a line break, what is in it, and another line break.
  response.chunkedEncoding = false;
  let mayGoOn: boolean;
  if (chunk.byteLength <= MOST_COPIED) {
    mayGoOn = response.write(`${size}\r\n${textOf(chunk)}\r\n`, 'latin1');
  } else {
    response.write(`${size}\r\n`, 'latin1');
    response.write(chunk);
    mayGoOn = response.write('\r\n', 'latin1');
  }
  response.chunkedEncoding = true;
  return mayGoOn;
}

/** Ends an answer of known length with what is missing of it; a short one becomes one piece with its head. */
export function endWith(response: ServerResponse, rest: Uint8Array): void {
  if (rest.byteLength <= MOST_COPIED) response.end(textOf(rest), 'latin1');
  else response.end(rest);
}

/** Each byte as a character of Latin-1, and so the same bytes again when it is written as that. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
