/**
 * The client's end of the data path over `node:http`: how an answer is begun, continued, ended, broken off, or
 * given in the gateway's own name.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Downstream, RawHeaders } from '../streams/ports.ts';
import { valuesOf } from './headers.ts';

/** How long, and for how many bytes, an unwanted body is read on so that the client gets to see the answer. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;

export type DownstreamEvents = {
  /** The client can take more, after `write` returned false. */
  drained(): void;
  /** The client went away before its answer was complete. */
  gone(): void;
};

/** @param isStopping whether the gateway shuts down, and connections are not to be kept */
export function nodeDownstream(
  request: IncomingMessage,
  response: ServerResponse,
  isStopping: () => boolean,
): Downstream & { listen(events: DownstreamEvents): void } {
  let wrote = false;
  let hasLength = false;
  const head = (headers: RawHeaders): string[] =>
    isStopping() ? [...headers, 'Connection', 'close'] : [...headers];
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    headers: request.rawHeaders,
    remoteAddress: request.socket.remoteAddress ?? '',
    protocol: request.socket instanceof TLSSocket ? 'https' : 'http',
    listen({ drained, gone }) {
      response.on('drain', drained);
      response.on('close', () => {
        if (!response.writableFinished) gone();
      });
    },
    start(status, reason, headers) {
      hasLength = valuesOf(headers, 'content-length').length > 0;
      response.writeHead(status, reason, head(headers));
      // The first piece usually comes in the same turn and takes the head with it; else the head goes alone.
      queueMicrotask(() => {
        if (!wrote && !response.destroyed) response.flushHeaders();
      });
    },
    write(chunk) {
      wrote = true;
      return response.write(chunk);
    },
    end(trailers) {
      wrote = true;
      if (trailers.length > 0) response.addTrailers(pairs(trailers));
      response.end();
    },
    cut() {
      const { socket } = response;
      const isDelimited = response.chunkedEncoding || hasLength;
      // An answer that lasts until the connection closes would look complete after a FIN.
      if (socket !== null && !isDelimited) socket.resetAndDestroy();
      else socket?.destroySoon();
    },
    answer(status, headers, body) {
      const length = Buffer.byteLength(body);
      const list = [...headers, 'Content-Type', 'application/json', 'Content-Length', String(length)];
      if (request.complete) {
        response.writeHead(status, head(list));
        response.end(body);
        return;
      }
      response.writeHead(status, [...list, 'Connection', 'close']);
      response.write(body);
      linger(request, () => response.end());
    },
  };
}

function pairs(raw: RawHeaders): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}

/**
 * Reads on for a while. Closing a connection with unread data in it sends a RST, on which the client may drop
 * the answer it has not read yet (RFC 9112 §9.6).
 */
function linger(request: IncomingMessage, done: () => void): void {
  let left = LINGER_BYTES;
  let finished = false;
  const finish = () => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    done();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('data', (piece: Buffer) => {
    left -= piece.length;
    if (left < 0) finish();
  });
  request.once('end', finish);
  request.once('close', finish);
  request.unpipe();
  request.resume();
}
