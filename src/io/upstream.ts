/** The end of the data path towards the backends: requests go out over leased sockets. */
import type { Upstream } from '../streams/ports.ts';
import type { ResponseTimeouts } from './response-clock.ts';
import type { SocketRegistry } from './sockets.ts';

/** @param timeouts read for each request, so that a reload counts at once */
export function createUpstream(
  sockets: Pick<SocketRegistry, 'connectionOf'>,
  timeouts: () => ResponseTimeouts,
): Upstream {
  return {
    send(socket, request, receiver) {
      const connection = sockets.connectionOf(socket);
      if (connection === undefined) receiver.failed('closed', false);
      else connection.send(request, receiver, timeouts());
    },
  };
}
