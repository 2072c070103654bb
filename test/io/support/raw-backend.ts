/**
 * A backend that answers exactly the bytes it is told to, for what no well-behaved server would send. It is well
 * as far as probes can tell.
 */

import { once } from 'node:events';
import net from 'node:net';
import { listenOnLoopback } from '../../support/listen.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { type RawClient, rawOver } from '../../support/raw-client.ts';

export type RawBackend = AsyncDisposable & {
  readonly name: string;
  readonly port: number;
  /** Connections that carried a request, oldest first; those of probes are not among them. */
  readonly connections: readonly RawClient[];
  /** Resolves with the nth connection (1 is the first) once the first bytes have come in over it. */
  connection(number: number): Promise<RawClient>;
};

/** @param serve called with each connection once its first bytes are in; by default nothing is answered */
export async function startRawBackend(
  serve: (peer: RawClient, number: number) => void = () => {},
  name = 'raw',
): Promise<RawBackend> {
  const connections: RawClient[] = [];
  const sockets = new Set<net.Socket>();
  const arrivals = new EventTarget();
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const peer = rawOver(socket);
    socket.once('data', () => {
      if (peer.text.startsWith('GET /health')) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
        return;
      }
      connections.push(peer);
      serve(peer, connections.length);
      arrivals.dispatchEvent(new Event('arrival'));
    });
    // As a process that ends its side when the other has: the tests are about what came before.
    socket.once('end', () => socket.end());
  });
  const port = await listenOnLoopback(server);
  return {
    name,
    port,
    connections,
    async connection(number) {
      while (connections.length < number) {
        await once(arrivals, 'arrival', { signal: AbortSignal.timeout(PATIENCE_MS) });
      }
      const found = connections[number - 1];
      if (found === undefined) throw new RangeError(`there is no connection ${number}`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A backend that sends the same bytes to each request it gets, once its head is in, and then maybe closes. */
export function startCannedBackend(
  answer: string | Uint8Array,
  { closes = false, name = 'raw' }: { closes?: boolean; name?: string } = {},
): Promise<RawBackend> {
  return startRawBackend((peer) => {
    let answered = 0;
    const onData = () => {
      const heads = peer.text.split('\r\n\r\n').length - 1;
      for (; answered < heads; answered += 1) peer.send(answer);
      if (closes) peer.socket.end();
    };
    peer.socket.on('data', onData);
    onData();
  }, name);
}
