/**
 * The client's end of the data path over `node:http`: how an answer is begun, continued, ended, broken off, or
 * given in the gateway's own name.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClientCut } from '../actors/events.ts';
import type { Downstream, RawHeaders } from '../streams/ports.ts';
import { endWith, writeChunk } from './answer-body.ts';
import { announcesBody } from './body.ts';
import { hasContent } from './content.ts';
import { fieldLines, firstValueOf, valuesOf, withoutField } from './headers.ts';
import { closeLingering, dropBody, dropBodyInTime, serveNoMore } from './linger.ts';
import { sendableReason } from './reason.ts';

export type DownstreamEvents = {
  /** The client can take more, after `write` returned false. */
  drained(): void;
  /** The client went away before its answer was complete, or was cut off. */
  gone(because?: ClientCut): void;
};

type DownstreamSettings = {
  /** How long a client may read nothing of an answer that waits for it. */
  readonly idleReaderTimeoutMs: number;
};

const CLOSE = ['Connection', 'close'];

/** A class, since there is one for each request: its methods are not made anew each time. */
export class NodeDownstream implements Downstream {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly protocol: 'http' | 'https';
  readonly upgrade: Downstream['upgrade'];
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private readonly isStopping: () => boolean;
  private readonly settings: DownstreamSettings;
  private events: DownstreamEvents | undefined = undefined;
  /** Whether the head of the answer has been handed over. */
  private isHeadOut = false;
  private hasEnded = false;
  /** What is missing of an answer whose length is known. */
  private bytesLeft: number | undefined = undefined;
  private isDrainAwaited = false;
  /** Whether the client is watched for reading nothing, and whether it was cut off for that. */
  private isReaderLimited = false;
  private isCutOff = false;

  /** @param isStopping whether the gateway shuts down, and connections are not to be kept */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    isStopping: () => boolean,
    settings: DownstreamSettings,
    upgrade: Downstream['upgrade'],
  ) {
    const { socket } = request;
    this.method = request.method ?? 'GET';
    this.target = request.url ?? '/';
    this.headers = request.rawHeaders;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.protocol = socket instanceof TLSSocket ? 'https' : 'http';
    this.upgrade = upgrade;
    this.request = request;
    this.response = response;
    this.isStopping = isStopping;
    this.settings = settings;
  }

  /** From here on `events` hears of the client. */
  listen(events: DownstreamEvents): void {
    this.events = events;
  }

  /** To be called when the connection, or the answer over it, has come to its end. */
  closed(): void {
    if (!this.response.writableFinished) this.events?.gone(this.isCutOff ? 'idleReader' : undefined);
  }

  inform(status: number, headers: RawHeaders): void {
    writeInterim(this.request, this.response, status, headers);
  }

  start(status: number, reason: string, received: RawHeaders): void {
    const { request, response } = this;
    // A 204 must not have one, and a client might wait for what it says (RFC 9110 §8.6).
    const headers = status === 204 ? withoutField(received, 'content-length') : received;
    const length = firstValueOf(headers, 'content-length');
    if (length !== undefined) this.bytesLeft = Number(length);
    const isEndUnknown = length === undefined && hasContent(request.method === 'HEAD', status);
    const mayChunk = response.useChunkedEncodingByDefault && isEndUnknown;
    response.writeHead(status, sendableReason(reason), this.head(asNodeTakesThem(headers, mayChunk)));
    // The first piece usually comes in the same turn and takes the head with it; else the head goes alone.
    queueMicrotask(() => this.sendHead());
  }

  write(chunk: Uint8Array): boolean {
    if (chunk.byteLength === 0) return true;
    const mayGoOn = this.send(chunk);
    this.isHeadOut = true;
    if (mayGoOn) return true;
    this.limitReader();
    this.awaitDrain();
    return false;
  }

  end(trailers: RawHeaders): void {
    const { request, response } = this;
    this.isHeadOut = true;
    if (trailers.length > 0) response.addTrailers(pairs(trailers));
    if (!this.hasEnded) response.end();
    if (response.writableLength > 0) this.limitReader();
    // A backend may answer before it has all of the body; what is left of it stands before the next request.
    if (!request.complete) dropBodyInTime(request);
  }

  cut(): void {
    // A client that gets not a byte might take its connection for a stale one, and ask again.
    this.sendHead();
    cutShort(this.response, this.bytesLeft !== undefined);
  }

  private send(chunk: Uint8Array): boolean {
    const { response, bytesLeft } = this;
    if (response.chunkedEncoding) return writeChunk(response, chunk, this.isHeadOut);
    if (bytesLeft === undefined) return response.write(Buffer.from(chunk));
    this.bytesLeft = bytesLeft - chunk.byteLength;
    if (this.bytesLeft !== 0) return response.write(Buffer.from(chunk));
    this.hasEnded = true;
    endWith(response, chunk);
    return true;
  }

  answer(status: number, headers: RawHeaders, body: string): void {
    const { request, response } = this;
    const reason = STATUS_CODES[status] ?? '';
    const list = [...headers];
    if (firstValueOf(headers, 'content-type') === undefined) list.push('Content-Type', 'application/json');
    list.push('Content-Length', String(Buffer.byteLength(body)));
    const isLast = valuesOf(headers, 'connection').includes('close');
    if (!isLast && (request.complete || !announcesBody(request))) {
      response.writeHead(status, reason, this.head(list));
      response.end(body);
      return;
    }
    response.writeHead(status, reason, isLast ? list : [...list, ...CLOSE]);
    endUnread(request, response, body);
  }

  private head(headers: readonly string[]): string[] {
    return this.isStopping() ? [...headers, ...CLOSE] : [...headers];
  }

  /** Sends the head alone, if nothing has taken it along. */
  private sendHead(): void {
    const { response } = this;
    if (this.isHeadOut || response.destroyed) return;
    this.isHeadOut = true;
    // Not by `flushHeaders`, which writes bytes beyond ASCII as UTF-8.
    response.write('', 'latin1');
  }

  private awaitDrain(): void {
    if (this.isDrainAwaited) return;
    this.isDrainAwaited = true;
    const drained = () => this.drained();
    const { response } = this;
    response.once('drain', drained);
    // Of what goes past the response, its socket tells alone.
    response.socket?.once('drain', drained);
  }

  private drained(): void {
    if (!this.isDrainAwaited) return;
    this.isDrainAwaited = false;
    this.response.socket?.setTimeout(0);
    this.events?.drained();
  }

  /**
   * Cuts a client off that does not read what it has been sent, once nothing has left for so long; each piece that the
   * kernel takes begins the time anew (nginx's send_timeout).
   */
  private limitReader(): void {
    const { response, settings } = this;
    whenAssigned(response, (socket) => {
      if (response.writableLength === 0) return;
      if (!this.isReaderLimited) this.cutOnTimeout(socket);
      socket.setTimeout(settings.idleReaderTimeoutMs);
    });
  }

  private cutOnTimeout(socket: Socket): void {
    this.isReaderLimited = true;
    const cut = () => {
      this.isCutOff = true;
      // Node does so too, but not on a connection that it has handed over (a WebSocket that is refused).
      socket.destroy();
    };
    socket.once('timeout', cut);
    this.response.once('close', () => socket.off('timeout', cut));
  }
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

/** Ends an answer and its connection, whatever the client may still be sending. */
function endUnread(request: IncomingMessage, response: ServerResponse, body: string): void {
  // At once: what is behind it may be here before this answer has its turn.
  serveNoMore(request.socket);
  if (request.method === 'HEAD') response.flushHeaders();
  else response.write(body);
  dropBody(request);
  // Not by `end`, after which node would close without reading on.
  whenAssigned(response, (socket) => closeLingering(socket));
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
