/** Remembers leases: each begins once, is released once, and none begins at a backend that drains. */
import { type Core, poolOfBackend, statusOfBackend } from '../core.ts';
import type { Decision, LeaseOutcome } from '../events.ts';
import type { Memory } from './rule.ts';

export type LeaseMemory = Memory & {
  /** Leases that have begun and not been released, with their backends. */
  readonly open: ReadonlyMap<number, string>;
};

type Begun = { readonly lease: number; readonly backend: string; readonly socket: number };

/** The ends of a lease after which its socket may be kept: after any other, bytes of the old answer may still come. */
const KEEPING: ReadonlySet<LeaseOutcome> = new Set<LeaseOutcome>(['ended']);

export function createLeaseMemory(): LeaseMemory {
  const open = new Map<number, string>();
  /** Leases are numbered as they come, so that the last number stands for all. */
  let lastLease = 0;
  const sockets = new Map<number, number>();
  /** By how many the leases of a backend have risen in the step at hand. */
  const risen = new Map<string, number>();

  const begin = ({ lease, backend, socket }: Begun, breaches: string[]) => {
    sockets.set(lease, socket);
    if (lease <= lastLease) breaches.push(`lease ${lease} was begun twice`);
    else lastLease = lease;
    open.set(lease, backend);
    risen.set(backend, (risen.get(backend) ?? 0) + 1);
  };

  const note = (core: Core, decision: Decision, breaches: string[]) => {
    if (decision.type === 'socket.requested') begin(decision, breaches);
    else if (decision.type === 'lease.granted') {
      if (decision.reused) begin(decision, breaches);
      else if (!open.has(decision.lease))
        breaches.push(`lease ${decision.lease} was granted and never begun`);
    } else if (decision.type === 'lease.released') {
      if (!open.delete(decision.lease))
        breaches.push(`lease ${decision.lease} was released twice, or never begun`);
      const { backend, lease, outcome } = decision;
      risen.set(backend, (risen.get(backend) ?? 0) - 1);
      const socket = sockets.get(lease);
      sockets.delete(lease);
      if (socket !== undefined && !KEEPING.has(outcome) && isIdle(core, backend, socket))
        breaches.push(`socket ${socket} is kept after its lease was ${outcome}`);
    }
  };

  return {
    open,
    follow(core, _, decisions, breaches) {
      for (const decision of decisions) note(core, decision, breaches);
      if (risen.size === 0) return;
      for (const [backend, by] of risen) {
        if (by <= 0) continue;
        const { leased = 0, limit = 0 } = poolOfBackend(core, backend) ?? {};
        if (leased > limit)
          breaches.push(`${backend} was given a lease and has ${leased}, of ${limit} at most`);
        if (statusOfBackend(core, backend) === 'draining')
          breaches.push(`${backend} is draining and its leases rose`);
      }
      risen.clear();
    },
  };
}

function isIdle(core: Core, backend: string, socket: number): boolean {
  return poolOfBackend(core, backend)?.idle.some((idle) => idle.socket === socket) === true;
}
