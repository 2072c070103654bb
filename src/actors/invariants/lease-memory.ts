/** Remembers leases: each begins once, is released once, and none begins at a backend that drains. */
import { statusOfBackend } from '../core.ts';
import type { Decision } from '../events.ts';
import type { Memory } from './rule.ts';

export type LeaseMemory = Memory & {
  /** Leases that have begun and not been released, with their backends. */
  readonly open: ReadonlyMap<number, string>;
};

export function createLeaseMemory(): LeaseMemory {
  const open = new Map<number, string>();
  /** Leases are numbered as they come, so that the last number stands for all. */
  let lastLease = 0;
  /** By how many the leases of a backend have risen in the step at hand. */
  const risen = new Map<string, number>();

  const begin = (lease: number, backend: string, breaches: string[]) => {
    if (lease <= lastLease) breaches.push(`lease ${lease} was begun twice`);
    else lastLease = lease;
    open.set(lease, backend);
    risen.set(backend, (risen.get(backend) ?? 0) + 1);
  };

  const note = (decision: Decision, breaches: string[]) => {
    if (decision.type === 'socket.requested') begin(decision.lease, decision.backend, breaches);
    else if (decision.type === 'lease.granted') {
      if (decision.reused) begin(decision.lease, decision.backend, breaches);
      else if (!open.has(decision.lease))
        breaches.push(`lease ${decision.lease} was granted and never begun`);
    } else if (decision.type === 'lease.released') {
      if (!open.delete(decision.lease))
        breaches.push(`lease ${decision.lease} was released twice, or never begun`);
      const { backend } = decision;
      risen.set(backend, (risen.get(backend) ?? 0) - 1);
    }
  };

  return {
    open,
    follow(core, _, decisions, breaches) {
      for (const decision of decisions) note(decision, breaches);
      if (risen.size === 0) return;
      for (const [backend, by] of risen) {
        if (by > 0 && statusOfBackend(core, backend) === 'draining')
          breaches.push(`${backend} is draining and its leases rose`);
      }
      risen.clear();
    },
  };
}
