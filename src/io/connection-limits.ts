/**
 * How many connections clients may have, in all and from one address, as nginx' limit_conn. What is too much is refused when
 * it comes: nothing of it is read, and those who are connected keep what they have.
 */
import type { Server, Socket } from 'node:net';
import { type GatewayError, tooManyConnections } from './errors.ts';
import { refuseNow } from './garbage.ts';

export type ConnectionSettings = {
  /** 0 for any number. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
};

export type ConnectionStats = {
  readonly open: number;
  /** Refused since the start, by the limit that was reached. */
  readonly refused: Readonly<Record<ConnectionLimit, number>>;
};

export type ConnectionLimit = 'all' | 'address';

export type ConnectionLimits = {
  /** Counts the connections of this server and refuses those that are too many. */
  guard(server: Server, isSecure: boolean): void;
  stats(): ConnectionStats;
};

/** So many are told why at a time, which keeps each open for a moment; more are closed without a word. */
const MAX_BEING_TOLD = 100;
const RETRY_AFTER = 'Retry-After: 1\r\n';

/** @param settings read at each connection, so that a reload counts from the next one */
export function createConnectionLimits(settings: () => ConnectionSettings): ConnectionLimits {
  const byAddress = new Map<string, number>();
  const refused: Record<ConnectionLimit, number> = { all: 0, address: 0 };
  let open = 0;
  let beingTold = 0;

  const limitReachedBy = (address: string): ConnectionLimit | undefined => {
    const { maxConnections, maxConnectionsPerAddress } = settings();
    if (maxConnections > 0 && open >= maxConnections) return 'all';
    const count = byAddress.get(address) ?? 0;
    return maxConnectionsPerAddress > 0 && count >= maxConnectionsPerAddress ? 'address' : undefined;
  };
  const take = (socket: Socket, address: string) => {
    open += 1;
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    socket.once('close', () => {
      open -= 1;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
  };
  const tell = (socket: Socket, error: GatewayError) => {
    beingTold += 1;
    socket.once('close', () => {
      beingTold -= 1;
    });
    refuseNow(socket, error, RETRY_AFTER);
  };
  return {
    guard(server, isSecure) {
      // Before the server's own listener, which then finds a connection on which nothing is served.
      server.prependListener('connection', (socket) => {
        const address = socket.remoteAddress ?? '';
        const limit = limitReachedBy(address);
        if (limit === undefined) {
          take(socket, address);
          return;
        }
        refused[limit] += 1;
        // Before a handshake there is nobody to tell.
        if (isSecure || beingTold >= MAX_BEING_TOLD) socket.destroy();
        else tell(socket, tooManyConnections(limit));
      });
    },
    stats: () => ({ open, refused: { ...refused } }),
  };
}
