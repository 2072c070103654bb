/**
 * Writes the body of an answer to a `ServerResponse` in as few pieces as possible. Each piece handed to Node costs as much as
 * a short body itself, and several pieces go out by `writev`, which costs more than `write`.
 */
import type { ServerResponse } from 'node:http';
import { MAX_COPIED_BYTES, textOf } from './latin1.ts';

/**
 * Writes a chunk of a chunked answer (RFC 9112 §7.1). An empty one is left out, since it would end the answer.
 *
 * @param chunk borrowed
 * @param isHeadOut whether the head of the answer has been handed over
 * @returns false if the client reads slowly: the next chunk should wait for 'drain' of the response or of its socket
 */
export function writeChunk(response: ServerResponse, chunk: Uint8Array, isHeadOut: boolean): boolean {
  if (chunk.byteLength === 0) return true;
  const size = chunk.byteLength.toString(16);
  const { socket } = response;
  if (isHeadOut && socket?.writable === true && chunk.byteLength <= MAX_COPIED_BYTES) {
    // Past the response, which would hold the piece back for the rest of the turn, to see whether another comes.
    return socket.write(`${size}\r\n${textOf(chunk)}\r\n`, 'latin1');
  }
  // Node would make four pieces of a chunk: its size, a line break, its bytes, and another line break.
  response.chunkedEncoding = false;
  let mayGoOn: boolean;
  if (chunk.byteLength <= MAX_COPIED_BYTES) {
    mayGoOn = response.write(`${size}\r\n${textOf(chunk)}\r\n`, 'latin1');
  } else {
    response.write(`${size}\r\n`, 'latin1');
    response.write(Buffer.from(chunk));
    mayGoOn = response.write('\r\n', 'latin1');
  }
  response.chunkedEncoding = true;
  return mayGoOn;
}

/** Ends an answer of known length with the rest of its body; a short rest goes out as one piece with a head not sent yet. */
export function endWith(response: ServerResponse, rest: Uint8Array): void {
  if (rest.byteLength <= MAX_COPIED_BYTES) response.end(textOf(rest), 'latin1');
  else response.end(Buffer.from(rest));
}
