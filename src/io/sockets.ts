/**
 * The sockets to the backends, under the numbers the core gave them. Each is one TCP (or TLS) connection with
 * one undici `Client` on top that frames HTTP/1.1 on it. A `Client` would reconnect silently, and then a lease
 * would not be for the socket it names; so it is given its one connection and refused another.
 */
import net from 'node:net';
import tls from 'node:tls';
import { type Observable, Subject } from 'rxjs';
import { Client } from 'undici';
import type { BackendSettings, Fact } from '../actors/events.ts';
import type { SocketPort } from '../streams/ports.ts';
import { connectWithDirectReads } from './direct-reads.ts';
import { classifyFailure } from './failures.ts';
import { originOf } from './origin.ts';
import { createResponseClock, type ResponseClock } from './response-clock.ts';
import { type Sieve, siftContinues } from './unasked-continue.ts';

/** What carries requests over an open socket. */
export type Connection = {
  /** Destroyed once it can carry no further request; has the error that broke it, if one did. */
  readonly tcp: net.Socket;
  readonly client: Client;
  readonly clock: ResponseClock;
  readonly sieve: Sieve;
};

/** An open or opening socket. */
type Held = { readonly tcp: net.Socket; connection: Connection | undefined };

export type SocketRegistry = SocketPort & {
  readonly facts$: Observable<Fact>;
  /** @returns undefined if the socket is not open yet or gone */
  connectionOf(socket: number): Connection | undefined;
  readonly count: number;
  closeAll(): void;
};

/** undici closes an idle socket this long before the server's `Keep-Alive: timeout` says it would. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** The pool decides how long a socket may idle; undici's own limit only has to be longer than any of ours. */
const UNDICI_IDLE_LIMIT_MS = 2 ** 31 - 1;
const TCP_KEEP_ALIVE_MS = 60_000;

export type SocketOptions = {
  readonly connectTimeoutMs: () => number;
  /** What is trusted instead of what Node trusts by itself. */
  readonly secureContext: () => tls.SecureContext | undefined;
};

export function createSocketRegistry({ connectTimeoutMs, secureContext }: SocketOptions): SocketRegistry {
  const facts$ = new Subject<Fact>();
  const held = new Map<number, Held>();

  /** Takes a socket off the books; false if it was off already, so that each end is reported once. */
  const forget = (socket: number): boolean => held.delete(socket);

  const open = (socket: number, backend: BackendSettings): void => {
    const tcp = connect(backend, secureContext());
    const entry: Held = { tcp, connection: undefined };
    held.set(socket, entry);
    const timeout = setTimeout(() => tcp.destroy(connectTimeoutError()), connectTimeoutMs());
    let failure: unknown;
    tcp.on('error', (error) => {
      failure = error;
    });
    tcp.once(backend.protocol === 'https' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timeout);
      entry.connection = {
        ...{ tcp, client: clientOver(tcp, backend) },
        ...{ clock: createResponseClock(), sieve: siftContinues(tcp) },
      };
      facts$.next({ type: 'socket.opened', backend: backend.id, socket });
    });
    tcp.once('close', () => {
      clearTimeout(timeout);
      entry.connection?.clock.closed();
      if (!forget(socket)) return;
      if (entry.connection !== undefined) facts$.next({ type: 'socket.closed', backend: backend.id, socket });
      else {
        const reason = failure === undefined ? 'closed' : classifyFailure(failure);
        facts$.next({ type: 'socket.failed', backend: backend.id, socket, reason });
      }
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

function connect(
  { protocol, host, port }: BackendSettings,
  secureContext: tls.SecureContext | undefined,
): net.Socket {
  const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  if (protocol === 'http') return connectWithDirectReads(options);
  // RFC 6066 §3: server names are host names, never addresses.
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  return tls.connect({ ...options, ...servername, ALPNProtocols: ['http/1.1'], secureContext });
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

/** A client that has this one connection, and gets an error in place of any other. */
function clientOver(tcp: net.Socket, backend: BackendSettings): Client {
  let given = false;
  return new Client(originOf(backend), {
    pipelining: 1,
    keepAliveTimeout: UNDICI_IDLE_LIMIT_MS,
    keepAliveMaxTimeout: UNDICI_IDLE_LIMIT_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    connect(_options, callback) {
      const isRefused = given || tcp.destroyed;
      given = true;
      // undici is in the middle of its own turn here and would not see an answer before that has ended.
      queueMicrotask(() => (isRefused ? callback(socketGoneError(), null) : callback(null, tcp)));
    },
  });
}

/** Not `UND_ERR_SOCKET`, on which undici would keep the request waiting for a connection that never comes. */
function socketGoneError(): Error {
  return Object.assign(new Error('the socket closed before the request was written'), { code: 'ECONNRESET' });
}
