/**
 * The one rule that joins two keys: the gateway and its admin API cannot listen on the same address.
 */

import { isIPv6 } from 'node:net';
import { type ConfigProblem, type Origin, preview, problem } from './problems.ts';
import type { Config } from './schema.ts';

/** @returns one problem if both listeners want the same port of the same host; port 0 is always free. */
export function listenerClash(
  { server, admin }: Pick<Config, 'server' | 'admin'>,
  origins: ReadonlyMap<string, Origin>,
): ConfigProblem[] {
  if (server.port === 0 || server.port !== admin.port || !overlap(server.host, admin.host)) return [];
  // Blame the key that somebody set, rather than a default.
  const adminOrigin = origins.get('admin.port') ?? { from: 'default' };
  const serverOrigin = origins.get('server.port') ?? { from: 'default' };
  const [key, other, origin] =
    adminOrigin.from === 'default'
      ? (['server.port', 'admin.port', serverOrigin] as const)
      : (['admin.port', 'server.port', adminOrigin] as const);
  const hosts =
    server.host === admin.host ? preview(server.host) : `${preview(server.host)} and ${preview(admin.host)}`;
  return [problem(key, server.port, origin, `must differ from ${other}, as both listen on ${hosts}`)];
}

/** Whether a port of the one host cannot be bound while the same port of the other is. */
function overlap(one: string, other: string): boolean {
  return one === other || covers(one, other) || covers(other, one);
}

function covers(wide: string, host: string): boolean {
  switch (wide) {
    case '::': // Dual stack: IPv4 too.
      return true;
    case '0.0.0.0':
      return !isIPv6(host);
    case 'localhost':
      return host === '127.0.0.1' || host === '::1';
    default:
      return false;
  }
}
