/**
 * How old sockets may get (`pool.maxLifetimeMs`): a connection that is kept for ever stays with the address that its
 * host name had when it was opened. Ages are kept only where they are limited.
 */
import type { PoolState } from './pool.ts';

/** Where ages begin to matter, those of the sockets there are count from now. */
export function limitAges(state: PoolState, maxLifetimeMs: number, at: number): void {
  state.maxLifetimeMs = maxLifetimeMs;
  const known = (openedAt: number | undefined) => (maxLifetimeMs === 0 ? undefined : (openedAt ?? at));
  for (const { idle } of state.backends.values())
    for (const socket of idle) socket.openedAt = known(socket.openedAt);
  for (const lease of state.leases.values()) if (lease.opened) lease.openedAt = known(lease.openedAt);
}

/** Whether a socket is too old to serve a further request. */
export function isExpired({ maxLifetimeMs }: PoolState, openedAt: number | undefined, at: number): boolean {
  return maxLifetimeMs > 0 && openedAt !== undefined && openedAt + maxLifetimeMs <= at;
}
