/**
 * Takes in the body of a request. A body up to `bufferBytes` is held until it is whole: it can then be sent
 * again, and a slow upload keeps no backend busy. A longer one streams from there on, and is sent once.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { streamBody } from './body-stream.ts';
import type { ReadAhead } from './read-ahead.ts';

export type BodyLimits = {
  /** Above this many bytes the request is refused. */
  readonly maxBodyBytes: number;
  /** Above this many bytes the body streams. */
  readonly bufferBytes: number;
  /** How long the client may send nothing of it. */
  readonly bodyIdleTimeoutMs: number;
};

export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'stream'; readonly stream: Readable };

export type BodyReceiver = {
  ready(body: Body): void;
  /** The body is longer than allowed. May follow `ready` when the body streams. */
  tooLarge(maxBodyBytes: number): void;
  /** The client has sent nothing for too long. May follow `ready` when the body streams. */
  stoodStill(): void;
};

/** Whether the request announces a body (RFC 9112 §6). */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Whether the announced length alone is too much, before anything is read. */
export function isTooLargeFromStart({ headers }: IncomingMessage, maxBodyBytes: number): boolean {
  return Number(headers['content-length'] ?? 0) > maxBodyBytes;
}

/** Calls `ready` once the body is whole or has grown beyond the buffer; never, if the client leaves before. */
export function takeBody(
  request: IncomingMessage,
  limits: BodyLimits,
  readAhead: ReadAhead,
  receiver: BodyReceiver,
): void {
  if (!announcesBody(request)) {
    receiver.ready({ kind: 'none' });
    return;
  }
  new Intake(request, limits, readAhead, receiver).begin();
}

/** Takes the pieces of one body in until it is whole or streams. */
class Intake {
  private readonly request: IncomingMessage;
  private readonly limits: BodyLimits;
  private readonly readAhead: ReadAhead;
  private readonly receiver: BodyReceiver;
  private readonly pieces: Buffer[] = [];
  private size = 0;
  private idleTimer: NodeJS.Timeout | undefined = undefined;

  constructor(request: IncomingMessage, limits: BodyLimits, readAhead: ReadAhead, receiver: BodyReceiver) {
    this.request = request;
    this.limits = limits;
    this.readAhead = readAhead;
    this.receiver = receiver;
  }

  begin(): void {
    this.request.on('data', this.onData);
    this.request.on('end', this.onEnd);
    // A body that came together with its head has been read by then, as most do, and there is nothing to wait for.
    queueMicrotask(this.watchIdle);
  }

  private readonly onData = (piece: Buffer): void => {
    const { limits, receiver, request, pieces, readAhead } = this;
    this.progressed();
    pieces.push(piece);
    this.size += piece.length;
    const { maxBodyBytes } = limits;
    if (this.size > maxBodyBytes) {
      this.hold();
      receiver.tooLarge(maxBodyBytes);
    } else if (this.size > limits.bufferBytes) {
      this.hold();
      const stream = streamBody(request, pieces, {
        maxBodyBytes,
        readAhead,
        tooLarge: () => receiver.tooLarge(maxBodyBytes),
        progressed: () => this.progressed(),
      });
      receiver.ready({ kind: 'stream', stream });
    }
  };

  private readonly onEnd = (): void => {
    const { pieces, size } = this;
    const [first = Buffer.alloc(0)] = pieces;
    const bytes = pieces.length === 1 ? first : Buffer.concat(pieces, size);
    // This object lives until the answer has ended, and would hold the pieces as long.
    pieces.length = 0;
    this.receiver.ready({ kind: 'whole', bytes });
  };

  private hold(): void {
    const { request } = this;
    request.pause();
    request.off('data', this.onData);
    request.off('end', this.onEnd);
  }

  /** Whether all of the body has come, though its end may not have been noted yet. */
  private isWhole(): boolean {
    return this.size >= Number(this.request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  }

  private readonly watchIdle = (): void => {
    const { request, limits } = this;
    if (this.isWhole() || request.destroyed) return;
    const { socket } = request;
    const timer = setTimeout(() => this.onIdle(), limits.bodyIdleTimeoutMs);
    this.idleTimer = timer;
    const stop = () => {
      clearTimeout(timer);
      socket.off('close', stop);
    };
    request.on('end', stop);
    // Of its connection, since a request that has been answered already does not tell of its own.
    socket.on('close', stop);
  };

  private onIdle(): void {
    // While it is we who do not read, the client is not to blame.
    if (this.request.isPaused()) this.progressed();
    else this.receiver.stoodStill();
  }

  private progressed(): void {
    this.idleTimer?.refresh();
  }
}
