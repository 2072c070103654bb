/**
 * Ports that a process can come back to after it was killed. They lie below those that the system gives to outgoing
 * connections: one of these to a dead port could be given that very port, and would then talk to itself.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LEAST = 10_000;
const TRIES = 100;

/** @returns a port that nobody listens on at the moment, another one for each call with high probability */
export async function steadyPort(): Promise<number> {
  const most = firstOutgoingPort();
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = LEAST + Math.floor(Math.random() * (most - LEAST));
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error(
    `no free port was found from ${LEAST} to ${most} in ${TRIES} tries; end what listens there`,
  );
}

function firstOutgoingPort(): number {
  try {
    return Number(/^\d+/.exec(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))?.[0]);
  } catch {
    // RFC 6335 §6, which systems other than Linux follow.
    return 49_152;
  }
}
