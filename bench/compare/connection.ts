/** The benchmark's end of a connection to a proxy: a bare socket that reads into one buffer shared by all. */
import { connect, type Socket } from 'node:net';

const SHARED = Buffer.allocUnsafe(64 * 1024);

export type ConnectionEvents = {
  text(text: string): void;
  /** It was closed, by whichever side, or could not be opened. */
  closed(): void;
};

/** @returns a socket to this port of this machine; what is written before it is open waits for that */
export function openConnection(port: number, on: ConnectionEvents): Socket {
  const callback = (length: number) => {
    on.text(SHARED.toString('latin1', 0, length));
    return true;
  };
  const socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: { buffer: SHARED, callback },
  });
  // The reason makes no difference here, and `close` follows.
  socket.on('error', () => {});
  socket.on('close', on.closed);
  return socket;
}
