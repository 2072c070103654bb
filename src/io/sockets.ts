/** The sockets to the backends, under the numbers the core gave them. Each is one TCP (or TLS) connection. */
import net from 'node:net';
import tls from 'node:tls';
import { type Observable, Subject } from 'rxjs';
import type { BackendSettings, Fact } from '../actors/events.ts';
import type { SocketPort } from '../streams/ports.ts';
import { hostAndPort } from './config/hosts.ts';
import type { Http1 } from './config/schema.ts';
import type { Connection } from './connection.ts';
import { classifyFailure } from './failures.ts';
import { createHttp1Connection } from './http1/http1-connection.ts';
import { connectWithDirectReads, type Dialed, incomingOf } from './incoming.ts';
import { originOf } from './origin.ts';
import { createUndiciConnection } from './undici/undici-connection.ts';

/** An open or opening socket. */
type Held = { readonly tcp: net.Socket; connection: Connection | undefined };

export type SocketRegistry = SocketPort & {
  readonly facts$: Observable<Fact>;
  /** @returns undefined if the socket is not open yet or gone */
  connectionOf(socket: number): Connection | undefined;
  readonly count: number;
  closeAll(): void;
};

const TCP_KEEP_ALIVE_MS = 60_000;

export type SocketOptions = {
  /** Counts for sockets that are opened from then on. */
  readonly http1: () => Http1;
  readonly connectTimeoutMs: () => number;
  /** What is trusted instead of what Node trusts by itself. */
  readonly secureContext: () => tls.SecureContext | undefined;
};

/** Sockets are opened and closed as the core decides; an end that it has not decided on is told once, in `facts$`. */
export function createSocketRegistry({
  connectTimeoutMs,
  http1,
  secureContext,
}: SocketOptions): SocketRegistry {
  const facts$ = new Subject<Fact>();
  const held = new Map<number, Held>();

  /** Takes a socket off the books; false if it was off already, so that each end is reported once. */
  const forget = (socket: number): boolean => held.delete(socket);

  const open = (socket: number, backend: BackendSettings): void => {
    const dialed = dial(backend, secureContext());
    const { tcp } = dialed;
    const entry: Held = { tcp, connection: undefined };
    held.set(socket, entry);
    const timeout = setTimeout(() => tcp.destroy(connectTimeoutError()), connectTimeoutMs());
    let failure: unknown;
    tcp.on('error', (error) => {
      failure = error;
    });
    tcp.once(backend.protocol === 'https' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timeout);
      entry.connection = speak(http1(), dialed, backend);
      facts$.next({ type: 'socket.opened', backend: backend.id, socket });
    });
    tcp.once('close', () => {
      clearTimeout(timeout);
      const { connection } = entry;
      if (forget(socket)) facts$.next(endOf(socket, backend.id, connection !== undefined, failure));
      // Behind that fact, so that the core does not decide to close a socket that has closed.
      connection?.closed(failure);
    });
  };

  const evict = (socket: number): void => {
    const entry = held.get(socket);
    if (entry !== undefined && forget(socket)) entry.tcp.destroy(givenUp);
  };

  return {
    facts$,
    open,
    evict,
    connectionOf: (socket) => held.get(socket)?.connection,
    get count() {
      return held.size;
    },
    closeAll() {
      for (const socket of [...held.keys()]) evict(socket);
    },
  };
}

function endOf(socket: number, backend: string, wasOpen: boolean, failure: unknown): Fact {
  if (wasOpen) return { type: 'socket.closed', backend, socket };
  const reason = failure === undefined ? 'closed' : classifyFailure(failure);
  return { type: 'socket.failed', backend, socket, reason };
}

function dial(
  { protocol, host, port }: BackendSettings,
  secureContext: tls.SecureContext | undefined,
): Dialed {
  const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  if (protocol === 'http') return connectWithDirectReads(options);
  // RFC 6066 §3: server names are host names, never addresses.
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const tcp = tls.connect({ ...options, ...servername, ALPNProtocols: ['http/1.1'], secureContext });
  return { tcp, incoming: incomingOf(tcp) };
}

function speak(http1: Http1, { tcp, incoming }: Dialed, backend: BackendSettings): Connection {
  if (http1 === 'builtin')
    return createHttp1Connection(tcp, incoming, hostAndPort(backend.host, backend.port));
  return createUndiciConnection(tcp, backend.protocol === 'http' ? incoming : undefined, originOf(backend));
}

/**
 * What a socket is closed with here. Without an error undici takes the close for the end of an answer that has no other
 * end, and fails an assertion, which ends the process, if it was just told to give that answer up.
 */
const givenUp = Object.assign(new Error('the socket was given up'), { code: 'ECONNABORTED' });

function connectTimeoutError(): Error {
  return Object.assign(new Error('the connection was not opened in time'), {
    code: 'UND_ERR_CONNECT_TIMEOUT',
  });
}
