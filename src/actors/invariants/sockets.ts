/** What must hold of sockets and of the leases on them, as the pool keeps them. */
import { type Core, poolOf, statusOfBackend } from '../core.ts';
import type { Decision, Fact } from '../events.ts';

/** A socket is on one lease or idle in one pool, never both, never twice. */
export function socketsAreHeldOnce(core: Core): string | undefined {
  const seen = new Set<number>();
  const { backends, leases } = poolOf(core);
  for (const { idle } of backends.values()) {
    for (const { socket } of idle) {
      if (seen.has(socket)) return `socket ${socket} is held twice`;
      seen.add(socket);
    }
  }
  for (const { socket } of leases.values()) {
    if (seen.has(socket)) return `socket ${socket} is held twice`;
    seen.add(socket);
  }
  return undefined;
}

/** Idle and leased together stay within the size; leases above a size that was lowered only run off. */
export function poolsStayWithinSize(core: Core): string | undefined {
  for (const [backend, { idle, leased, size }] of poolOf(core).backends) {
    if (idle.length > 0 && idle.length + leased > size) {
      return `${backend} has ${idle.length} idle and ${leased} leased sockets in a pool of ${size}`;
    }
  }
  return undefined;
}

/** The count of leases of each backend is the number of leases there are. */
export function leaseCountsAreTrue(core: Core): string | undefined {
  const { backends, leases } = poolOf(core);
  const counts = new Map<string, number>();
  for (const { backend } of leases.values()) counts.set(backend, (counts.get(backend) ?? 0) + 1);
  for (const [backend, { leased }] of backends) {
    const real = counts.get(backend) ?? 0;
    if (real !== leased) return `${backend} counts ${leased} leases and has ${real}`;
  }
  return undefined;
}

/** No request is sent over a socket that is older than sockets may get. */
export function socketsAreYoung(core: Core, _: Fact, decisions: readonly Decision[]): string | undefined {
  const { maxLifetimeMs = 0 } = core.config.pool;
  if (maxLifetimeMs === 0) return undefined;
  for (const decision of decisions) {
    if (decision.type !== 'lease.granted') continue;
    const lease = poolOf(core).leases.get(decision.lease);
    if (lease === undefined) continue;
    if (lease.openedAt === undefined) return `the age of socket ${decision.socket} is not known`;
    if (lease.openedAt + maxLifetimeMs <= core.at)
      return `socket ${decision.socket} was leased at ${core.at - lease.openedAt} ms`;
  }
  return undefined;
}

/** A sweep leaves no socket that has been idle for too long, or is too old. */
export function sweepsLeaveNothingOld(core: Core, fact: Fact): string | undefined {
  if (fact.type !== 'timer.fired' || fact.timer !== 'sweep') return undefined;
  const { idleTimeoutMs, maxLifetimeMs = 0 } = core.config.pool;
  for (const { idle } of poolOf(core).backends.values()) {
    for (const { socket, since, openedAt = core.at } of idle) {
      if (since + idleTimeoutMs <= core.at) return `socket ${socket} is idle for ${core.at - since} ms`;
      if (maxLifetimeMs > 0 && openedAt + maxLifetimeMs <= core.at)
        return `socket ${socket} is ${core.at - openedAt} ms old`;
    }
  }
  return undefined;
}

/** Only a backend that is healthy keeps idle sockets: those of a host that fell out may be half-open. */
export function onlyHealthyBackendsKeepSockets(core: Core): string | undefined {
  for (const [backend, { idle }] of poolOf(core).backends) {
    if (idle.length > 0 && statusOfBackend(core, backend) !== 'healthy')
      return `${backend} is ${statusOfBackend(core, backend)} and keeps ${idle.length} idle sockets`;
  }
  return undefined;
}
