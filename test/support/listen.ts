/** Servers of the tests: each on a free port of the loopback. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { portOf } from '../../src/io/listening.ts';

/** @returns the port it has been given, once it listens */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}
