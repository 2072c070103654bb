/** Figures that go on from a snapshot: at the beginning of a segment that is read alone, and behind a gap. */
import type { CoreSnapshot } from '../snapshot.ts';
import { createBackendFigures, createFlight, type Figures, type Flight } from './figures.ts';

/**
 * Brings the backends and the requests under way to those of the snapshot. What was counted stays. When these requests came
 * is not in it, so their ends will be counted and their durations will not.
 */
export function resumeFigures(figures: Figures, { config, backends, leases, requests }: CoreSnapshot): void {
  const known = new Set(backends.map(({ settings }) => settings.id));
  for (const id of figures.backends.keys()) if (!known.has(id)) figures.backends.delete(id);
  for (const id of known) if (!figures.backends.has(id)) figures.backends.set(id, createBackendFigures());
  figures.queueMax = config.pool.queue.max;
  const leaseOf = new Map(leases.map((lease) => [lease.lease, lease]));
  figures.flights.clear();
  for (const { request, phase, lease, queuedAt } of requests) {
    const flight = createFlight(-1);
    figures.flights.set(request, flight);
    const held = lease === null ? undefined : leaseOf.get(lease);
    if (held === undefined) {
      flight.queuedAt = queuedAt;
      continue;
    }
    flight.backend = figures.backends.get(held.backend);
    flight.lease = held.lease;
    flight.reused = held.reused;
    flight.phase = phaseOf(phase === 'answering', held.opened);
  }
}

function phaseOf(isAnswering: boolean, isOpened: boolean): Flight['phase'] {
  if (isAnswering) return 'answering';
  return isOpened ? 'sent' : 'connecting';
}
