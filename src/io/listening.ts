/** Opening and closing listeners: all or none at the start, and without cutting anybody short at the end. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { hostAndPort } from './config/hosts.ts';

type Address = { readonly host: string; readonly port: number };

/**
 * Listens on all the given addresses, or on none.
 *
 * @throws Error with the `code` of the system (EADDRINUSE, EACCES, ...) and a message that says what to do
 */
export async function listenAll(listeners: readonly (readonly [Server, Address])[]): Promise<void> {
  const open: Server[] = [];
  for (const [server, { host, port }] of listeners) {
    try {
      server.listen(port, host);
      await once(server, 'listening');
      open.push(server);
    } catch (error) {
      for (const other of open) other.close();
      throw listenError(error, hostAndPort(host, port));
    }
  }
}

function listenError(error: unknown, address: string): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens there; stop it, or choose another port',
    EACCES: 'that port needs more rights; choose one above 1023',
    EADDRNOTAVAIL: 'this machine has no such address; check server.host and admin.host',
    ENOTFOUND: 'the name does not resolve; check server.host and admin.host',
  };
  const why = advice[code] ?? String(error);
  return Object.assign(new Error(`cannot listen on ${address}: ${why} (${code})`, { cause: error }), {
    code,
  });
}

/** The port a server has been given. */
export function portOf(server: NetServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TypeError('the server does not listen on TCP');
  return address.port;
}

/** What is being closed. */
export type Closing = {
  readonly server: Server;
  /** How many requests are under way. */
  inFlight(): number;
  /** Ends what is still open. */
  cut(): void;
};

/** Turns of the event loop within which every connection that is destroyed has said so, with much to spare. */
const CLOSING_TURNS = 100;

/**
 * Waits until the last connection of a server that is closing has gone, and cuts those that take too long.
 *
 * @returns how many requests were cut off
 */
export async function finishInFlight(
  { server, inFlight, cut: cutAll }: Closing,
  timeoutMs: number,
): Promise<number> {
  let cut = 0;
  const deadline = setTimeout(() => {
    cut = inFlight();
    cutAll();
  }, timeoutMs);
  await new Promise<void>((done) => {
    server.close(() => done());
    server.closeIdleConnections();
  });
  clearTimeout(deadline);
  // The server counts a connection out some turns before that one's own 'close' is heard, with the requests it cuts.
  for (let turn = 0; inFlight() > 0 && turn < CLOSING_TURNS; turn += 1) await setImmediate();
  return cut;
}
