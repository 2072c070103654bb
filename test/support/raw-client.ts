/**
 * An end of a connection that writes exactly the bytes it is given, for what no well-behaved client (or backend)
 * would send, and whose received bytes can be awaited.
 */

import { once } from 'node:events';
import net from 'node:net';
import { PATIENCE_MS } from './patience.ts';

export type RawClient = Disposable & {
  readonly socket: net.Socket;
  send(bytes: string | Uint8Array): void;
  /** Everything received so far, as latin1. */
  readonly text: string;
  /** Resolves when what has been received fits; rejects if it never does, or when the connection closes before. */
  until(fits: RegExp | ((text: string) => boolean)): Promise<string>;
  /** Resolves with all that was received once the connection is closed, by FIN or RST. */
  closed(): Promise<{ text: string; wasReset: boolean }>;
};

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return rawOver(socket);
}

/** The same over a socket that is open already, such as one that a server has accepted. */
export function rawOver(socket: net.Socket): RawClient {
  let text = '';
  let wasReset = false;
  let isClosed = false;
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of [...watchers]) watcher();
  };
  socket.on('data', (piece) => {
    text += piece.toString('latin1');
    wake();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    wasReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
  });
  socket.on('close', () => {
    isClosed = true;
    wake();
  });

  const wait = <Result>(poll: () => Result | undefined): Promise<Result> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => finish(new Error(`waited in vain; received so far: ${text}`)),
        PATIENCE_MS,
      );
      const finish = (outcome: Result | Error) => {
        clearTimeout(timer);
        watchers.delete(watcher);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const watcher = () => {
        const result = poll();
        if (result !== undefined) finish(result);
        else if (isClosed) finish(new Error(`the connection closed first; received: ${text}`));
      };
      watchers.add(watcher);
      watcher();
    });

  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    get text() {
      return text;
    },
    until(fits) {
      const test = fits instanceof RegExp ? () => fits.test(text) : () => fits(text);
      return wait(() => (test() ? text : undefined));
    },
    closed: () => wait(() => (isClosed ? { text, wasReset } : undefined)),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
