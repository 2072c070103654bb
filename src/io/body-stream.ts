/**
 * A long body on its way from a client to a backend: a stream of its own between the two, since whoever sends
 * it destroys it when the answer ends, and the client's connection must survive that. It reads ahead of a slow backend as far as memory
 * is granted; only then is the client's connection left unread, and watched for a reset.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadAhead } from './read-ahead.ts';

export type BodyStreamOptions = {
  readonly maxBodyBytes: number;
  readonly readAhead: ReadAhead;
  /** Called instead of passing on the byte that is too much. */
  readonly tooLarge: () => void;
  /** Called at each piece. */
  readonly progressed: () => void;
};

/** Between two looks whether a connection that is not read from has been reset. */
const RESET_WATCH_MS = 20;

/** The body of a request whose first pieces have been taken from it already. */
export function streamBody(
  request: IncomingMessage,
  head: readonly Buffer[],
  { maxBodyBytes, readAhead, tooLarge, progressed }: BodyStreamOptions,
): Readable {
  const shelf = readAhead.shelf();
  const source = pausable(request);
  let size = 0;
  let isWanted = false;
  let isEnded = false;

  const put = (piece: Buffer) => {
    size += piece.length;
    shelf.put(piece);
  };
  const passOn = () => {
    while (isWanted && !shelf.isEmpty) isWanted = stream.push(shelf.take());
    if (isEnded && shelf.isEmpty) stream.push(null);
  };
  const onData = (piece: Buffer) => {
    progressed();
    if (size + piece.length > maxBodyBytes) {
      leave();
      tooLarge();
      return;
    }
    put(piece);
    passOn();
    source.flow(shelf.mayGrow());
  };
  const onEnd = () => {
    isEnded = true;
    passOn();
  };
  const leave = () => {
    // Else somebody else reads on by now, to reach what is behind a body that nobody wants.
    if (request.listeners('data').includes(onData)) request.pause();
    request.off('data', onData);
    request.off('end', onEnd);
    source.forget();
    shelf.clear();
  };
  const stream = new Readable({
    read() {
      isWanted = true;
      passOn();
      source.flow(shelf.mayGrow());
    },
    // Without its error: whoever destroys it has told what happened.
    destroy(_error, done) {
      leave();
      done(null);
    },
  });
  for (const piece of head) put(piece);
  request.on('data', onData);
  request.on('end', onEnd);
  source.flow(shelf.mayGrow());
  return stream;
}

/** A request that is read from or not, and is watched for a reset while it is not. */
function pausable(request: IncomingMessage) {
  const { socket } = request;
  let watch: NodeJS.Timeout | undefined;
  const forget = () => {
    clearInterval(watch);
    watch = undefined;
  };
  return {
    flow(wanted: boolean) {
      if (wanted) {
        forget();
        if (request.isPaused()) request.resume();
        return;
      }
      if (watch !== undefined) return;
      request.pause();
      watch = setInterval(() => {
        // To write nothing sends nothing, but fails on a connection that the other side has reset.
        if (socket.destroyed) forget();
        else socket.write('');
      }, RESET_WATCH_MS);
    },
    forget,
  };
}
