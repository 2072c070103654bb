/** Sends a body that is still coming in: as fast as the backend takes it, and no faster. */
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

export type Upload = {
  /** Whether all of it has been handed to the kernel, or waits there. */
  readonly isDone: boolean;
  /** Whether it is the client that is waited for. */
  isClientsTurn(): boolean;
  /** Sends no more of it. */
  stop(): void;
};

/**
 * Begins to send; it goes on by itself, until the body ends, or `stop`.
 *
 * @param inChunks whether the body is framed here (RFC 9112 §7.1)
 * @param progressed called when a piece has been sent, and when the backend has taken what waited
 */
export function startUpload(tcp: Socket, body: Readable, inChunks: boolean, progressed: () => void): Upload {
  let isDone = false;
  const onData = (piece: Buffer) => {
    const mayGoOn = inChunks ? sendChunk(tcp, piece) : tcp.write(piece);
    progressed();
    if (!mayGoOn) body.pause();
  };
  const onDrain = () => {
    progressed();
    body.resume();
  };
  const detach = () => {
    body.off('data', onData);
    body.off('end', onEnd);
    tcp.off('drain', onDrain);
  };
  const onEnd = () => {
    isDone = true;
    detach();
    if (inChunks) tcp.write('0\r\n\r\n', 'latin1');
    progressed();
  };
  tcp.on('drain', onDrain);
  body.on('end', onEnd);
  body.on('data', onData);
  return {
    get isDone() {
      return isDone;
    },
    isClientsTurn: () => !isDone && body.readableFlowing === true,
    stop() {
      detach();
      body.destroy();
    },
  };
}

function sendChunk(tcp: Socket, piece: Buffer): boolean {
  if (piece.length === 0) return true;
  tcp.cork();
  tcp.write(`${piece.length.toString(16)}\r\n`, 'latin1');
  tcp.write(piece);
  const mayGoOn = tcp.write('\r\n', 'latin1');
  tcp.uncork();
  return mayGoOn;
}
