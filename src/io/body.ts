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
  tooLarge(): void;
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
  const pieces: Buffer[] = [];
  let size = 0;
  const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  const progressed = watchIdle(request, {
    idleTimeoutMs: limits.bodyIdleTimeoutMs,
    isWhole: () => size >= length,
    stoodStill: receiver.stoodStill,
  });
  const onData = (piece: Buffer) => {
    progressed();
    pieces.push(piece);
    size += piece.length;
    if (size > limits.maxBodyBytes) {
      hold();
      receiver.tooLarge();
    } else if (size > limits.bufferBytes) {
      hold();
      const { maxBodyBytes } = limits;
      const { tooLarge } = receiver;
      const stream = streamBody(request, pieces, { maxBodyBytes, readAhead, tooLarge, progressed });
      receiver.ready({ kind: 'stream', stream });
    }
  };
  const onEnd = () => {
    const [first = Buffer.alloc(0)] = pieces;
    receiver.ready({ kind: 'whole', bytes: pieces.length === 1 ? first : Buffer.concat(pieces, size) });
  };
  const hold = () => {
    request.pause();
    request.off('data', onData);
    request.off('end', onEnd);
  };
  request.on('data', onData);
  request.on('end', onEnd);
}

type IdleWatch = {
  readonly idleTimeoutMs: number;
  /** Whether all of the body has come, though its end may not have been noted yet. */
  readonly isWhole: () => boolean;
  readonly stoodStill: () => void;
};

/** @returns what is to be called at each piece, so that `stoodStill` is not */
function watchIdle(request: IncomingMessage, { idleTimeoutMs, isWhole, stoodStill }: IdleWatch): () => void {
  let timer: NodeJS.Timeout | undefined;
  const { socket } = request;
  const stop = () => {
    clearTimeout(timer);
    socket.off('close', stop);
  };
  const onTime = () => {
    // While it is we who do not read, the client is not to blame.
    if (request.isPaused()) timer?.refresh();
    else stoodStill();
  };
  // A body that came together with its head has been read by then, as most do, and there is nothing to wait for.
  queueMicrotask(() => {
    if (isWhole() || request.destroyed) return;
    timer = setTimeout(onTime, idleTimeoutMs);
    request.on('end', stop);
    // Of its connection, since a request that has been answered already does not tell of its own.
    socket.on('close', stop);
  });
  return () => timer?.refresh();
}
