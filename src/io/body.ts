/**
 * Takes in the body of a request. A body up to `bufferBytes` is held until it is whole: it can then be sent
 * again, and a slow upload keeps no backend busy. A longer one streams from there on, and is sent once.
 */
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';

export type BodyLimits = {
  /** Above this many bytes the request is refused. */
  readonly maxBodyBytes: number;
  /** Above this many bytes the body streams. */
  readonly bufferBytes: number;
};

export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'stream'; readonly stream: Readable };

export type BodyReceiver = {
  ready(body: Body): void;
  /** The body is longer than allowed. May follow `ready` when the body streams. */
  tooLarge(): void;
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
export function takeBody(request: IncomingMessage, limits: BodyLimits, receiver: BodyReceiver): void {
  if (!announcesBody(request)) {
    receiver.ready({ kind: 'none' });
    return;
  }
  const pieces: Buffer[] = [];
  let size = 0;
  const onData = (piece: Buffer) => {
    pieces.push(piece);
    size += piece.length;
    if (size > limits.maxBodyBytes) {
      hold();
      receiver.tooLarge();
    } else if (size > limits.bufferBytes) {
      hold();
      receiver.ready({ kind: 'stream', stream: streamOn(request, pieces, limits.maxBodyBytes, receiver) });
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

/**
 * The rest of the body behind what has been read of it. A stream of its own stands between client and backend,
 * since undici destroys the stream it sends, and the client's connection must survive that.
 */
function streamOn(
  request: IncomingMessage,
  head: readonly Buffer[],
  maxBodyBytes: number,
  receiver: BodyReceiver,
): Readable {
  let size = 0;
  const counter = new Transform({
    transform(piece: Buffer, _encoding, done: TransformCallback) {
      size += piece.length;
      if (size <= maxBodyBytes) {
        done(null, piece);
        return;
      }
      request.unpipe(counter);
      receiver.tooLarge();
    },
  });
  // A backend that fails takes the stream with it; whoever reads from it has heard of that by then.
  counter.on('error', () => request.unpipe(counter));
  for (const piece of head) counter.write(piece);
  request.pipe(counter);
  return counter;
}
