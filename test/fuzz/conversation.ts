/** One hostile connection: sends exact bytes in exact pieces from an address of its own, and takes down what comes back. */
import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

export type Told = {
  /** All that was received, as latin1. */
  readonly text: string;
  readonly wasReset: boolean;
  /** Whether the gateway closed the connection, at once or after the client had closed its side. */
  readonly isClosed: boolean;
  /** Whether the client closed its side although an answer was due, since nothing moved any more. */
  readonly gaveUp: boolean;
};

export type Conversation = {
  readonly port: number;
  readonly address: string;
  readonly pieces: readonly string[];
  /** Between two pieces; 0 for one turn of the event loop. */
  readonly pauseMs?: number;
  /** Whether all that can be expected has come. */
  readonly isEnough: (text: string) => boolean;
  /** How long nothing may move before the client closes its side. */
  readonly quietMs: number;
};

/** How long the gateway may take to close a connection whose client has closed its side. */
const CLOSE_WITHIN_MS = 10_000;

/** @returns what the client was told, once the connection is closed or could not be */
export function converse({
  port,
  address,
  pieces,
  pauseMs = 0,
  isEnough,
  quietMs,
}: Conversation): Promise<Told> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true });
  let text = '';
  let wasReset = false;
  let gaveUp = false;
  return new Promise((resolve) => {
    let limit: NodeJS.Timeout | undefined;
    const leave = () => {
      clearTimeout(quiet);
      if (limit !== undefined) return;
      limit = setTimeout(() => done(false), CLOSE_WITHIN_MS);
      socket.end();
    };
    const quiet = setTimeout(() => {
      gaveUp = true;
      leave();
    }, quietMs);
    const done = (isClosed: boolean) => {
      clearTimeout(quiet);
      clearTimeout(limit);
      socket.destroy();
      resolve({ text, wasReset, isClosed, gaveUp });
    };
    socket.on('error', () => {
      wasReset = true;
    });
    socket.on('close', () => done(true));
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      quiet.refresh();
      if (isEnough(text)) leave();
    });
    void sendAll(socket, pieces, pauseMs, () => quiet.refresh());
  });
}

async function sendAll(
  socket: net.Socket,
  pieces: readonly string[],
  pauseMs: number,
  moved: () => void,
): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    socket.write(piece, 'latin1');
    moved();
    if (pauseMs === 0) await turn();
    else await new Promise((done) => setTimeout(done, pauseMs));
  }
}
