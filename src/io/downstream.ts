/**
 * The client's end of the data path over `node:http`: how an answer is begun, continued, ended, broken off, or
 * given in the gateway's own name.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClientCut } from '../actors/events.ts';
import type { Downstream, RawHeaders } from '../streams/ports.ts';
import { announcesBody } from './body.ts';
import { fieldLines, valuesOf, withoutField } from './headers.ts';
import { closeLingering, dropBody, dropBodyInTime } from './linger.ts';

export type DownstreamEvents = {
  /** The client can take more, after `write` returned false. */
  drained(): void;
  /** The client went away before its answer was complete, or was cut off. */
  gone(because?: ClientCut): void;
};

export type DownstreamSettings = {
  /** Whether the gateway shuts down, and connections are not to be kept. */
  readonly isStopping: () => boolean;
  /** How long a client may read nothing of an answer that waits for it. */
  readonly idleReaderTimeoutMs: number;
  readonly upgrade: Downstream['upgrade'];
};

export function nodeDownstream(
  request: IncomingMessage,
  response: ServerResponse,
  { isStopping, idleReaderTimeoutMs, upgrade }: DownstreamSettings,
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
    upgrade,
    listen({ drained, gone }) {
      response.on('drain', () => {
        response.socket?.setTimeout(0);
        drained();
      });
      response.on('close', () => {
        if (!response.writableFinished) gone(cutOff.has(response) ? 'idleReader' : undefined);
      });
    },
    inform(status, headers) {
      writeInterim(request, response, status, headers);
    },
    start(status, reason, received) {
      const headers = asStatusAllows(status, received);
      hasLength = valuesOf(headers, 'content-length').length > 0;
      const mayChunk = response.useChunkedEncodingByDefault && !hasLength && hasContent(request, status);
      response.writeHead(status, reason, head(asNodeTakesThem(headers, mayChunk)));
      // The first piece usually comes in the same turn and takes the head with it; else the head goes alone. Not by
      // `flushHeaders`, which writes bytes beyond ASCII as UTF-8.
      queueMicrotask(() => {
        if (!wrote && !response.destroyed) response.write('', 'latin1');
      });
    },
    write(chunk) {
      wrote = true;
      const isTaken = response.write(chunk);
      if (!isTaken) limitReader(response, idleReaderTimeoutMs);
      return isTaken;
    },
    end(trailers) {
      wrote = true;
      if (trailers.length > 0) response.addTrailers(pairs(trailers));
      response.end();
      if (response.writableLength > 0) limitReader(response, idleReaderTimeoutMs);
      // A backend may answer before it has all of the body; what is left of it stands before the next request.
      if (!request.complete) dropBodyInTime(request);
    },
    cut() {
      cutShort(response, hasLength);
    },
    answer(status, headers, body) {
      const reason = STATUS_CODES[status] ?? '';
      const list = withContent(headers, body);
      if (request.complete || !announcesBody(request)) {
        response.writeHead(status, reason, head(list));
        response.end(body);
        return;
      }
      response.writeHead(status, reason, [...list, 'Connection', 'close']);
      endUnread(request, response, body);
    },
  };
}

/** The headers of an answer of the gateway's own. */
function withContent(headers: RawHeaders, body: string): string[] {
  const type = valuesOf(headers, 'content-type').length > 0 ? [] : ['Content-Type', 'application/json'];
  return [...headers, ...type, 'Content-Length', String(Buffer.byteLength(body))];
}

/** How many interim answers may wait for their turn on a pipelined connection. */
const MAX_INTERIM_WAITING = 5;

/** Never to HTTP/1.0 (RFC 9110 §15.2); and nothing is piled up for a client that does not read. */
function writeInterim(
  { httpVersion }: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: RawHeaders,
): void {
  if (httpVersion === '1.0') return;
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${fieldLines(headers)}\r\n`;
  if (response.socket !== null) {
    if (!response.socket.writableNeedDrain) response.socket.write(text, 'latin1');
  } else if (response.listenerCount('socket') < MAX_INTERIM_WAITING) {
    // Before all that has been written to the response, when its turn comes.
    response.once('socket', (socket: Socket) => socket.write(text, 'latin1'));
  }
}

/** Ends an answer so that the client cannot take it for complete. */
function cutShort(response: ServerResponse, hasLength: boolean): void {
  whenAssigned(response, (socket) => {
    if (response.chunkedEncoding || hasLength) socket.destroySoon();
    // An answer that lasts until the connection closes would look complete after a FIN; in TLS, an end without a
    // close_notify is none (RFC 8446 §6.1).
    else if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
  });
}

/** Ends an answer and its connection while the client is still sending its request. */
function endUnread(request: IncomingMessage, response: ServerResponse, body: string): void {
  if (request.method === 'HEAD') response.flushHeaders();
  else response.write(body);
  dropBody(request);
  // Not by `end`, after which node would close without reading on.
  whenAssigned(response, (socket) => closeLingering(socket));
}

/** A 204 must not have a length, and a client might wait for what it says (RFC 9110 §8.6). */
function asStatusAllows(status: number, headers: RawHeaders): RawHeaders {
  return status === 204 ? withoutField(headers, 'content-length') : headers;
}

/** Whether an answer with this status to this request has content at all (RFC 9110 §6.4.1). */
function hasContent(request: IncomingMessage, status: number): boolean {
  return request.method !== 'HEAD' && status !== 204 && status !== 304;
}

/**
 * Two things that node makes of headers are undone beforehand: it throws on `Trailer` in an answer that is not
 * chunked, and it reads the value of `Content-Disposition` as UTF-8 if `Content-Length` stands before it.
 */
function asNodeTakesThem(headers: RawHeaders, mayChunk: boolean): RawHeaders {
  const kept = mayChunk ? headers : withoutField(headers, 'trailer');
  if (valuesOf(kept, 'content-disposition').every(isAscii)) return kept;
  const first = kept.findIndex((item, index) => index % 2 === 0 && item.toLowerCase() === 'content-length');
  if (first === -1 || Number(kept[first + 1]) === 0) return kept;
  return kept.map((item, index) => {
    const isValue = index % 2 === 1 && kept[index - 1]?.toLowerCase() === 'content-disposition';
    return isValue && index > first ? Buffer.from(item, 'utf8').toString('latin1') : item;
  });
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/**
 * Cuts a client off that does not read what it has been sent, once nothing has left for so long; each piece that the
 * kernel takes begins the time anew (nginx's send_timeout).
 */
function limitReader(response: ServerResponse, idleReaderTimeoutMs: number): void {
  whenAssigned(response, (socket) => {
    if (response.writableLength === 0) return;
    if (!limited.has(response)) watchTimeout(response, socket);
    socket.setTimeout(idleReaderTimeoutMs);
  });
}

/** Answers whose reader is limited, and those that were cut off for it. */
const limited = new WeakSet<ServerResponse>();
const cutOff = new WeakSet<ServerResponse>();

function watchTimeout(response: ServerResponse, socket: Socket): void {
  limited.add(response);
  const cut = () => {
    cutOff.add(response);
    // Node does so too, but not on a connection that it has handed over (a WebSocket that is refused).
    socket.destroy();
  };
  socket.once('timeout', cut);
  response.once('close', () => socket.off('timeout', cut));
}

/** An answer behind others on a pipelined connection has no socket before its turn. */
function whenAssigned(response: ServerResponse, act: (socket: Socket) => void): void {
  if (response.socket !== null) {
    act(response.socket);
    return;
  }
  // What has been written before is flushed right after this event.
  response.once('socket', (socket: Socket) => queueMicrotask(() => act(socket)));
}

function pairs(raw: RawHeaders): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return list;
}
