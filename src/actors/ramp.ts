/**
 * Slow start: a backend that comes back takes up its work by degrees, since its caches are cold and what felled it may
 * not be over. Its weight and the sockets it may have grow evenly over `health.slowStartMs`, in sixteenths, so that
 * current weights stay sums of sixteenths, which floating point adds up without an error.
 *
 * A step is taken with the first fact that comes after its time; probes see to it that there is one.
 */
import { type Core, poolOfBackend, selectorOf, syncRoom, tellPool, tellSelector } from './core.ts';
import { present } from './present.ts';

const WHOLE = 16;

/** How many sixteenths a backend has that came back at `since`. */
function sixteenthsAt(since: number, at: number, slowStartMs: number): number {
  return Math.min(WHOLE, 1 + Math.floor(((WHOLE - 1) * (at - since)) / slowStartMs));
}

/** A backend has come back. */
export function beginRamp(core: Core, backend: string): void {
  if ((core.config.health.slowStartMs ?? 0) === 0) return;
  core.ramps.set(backend, core.at);
  setShare(core, backend, 1);
}

/** A backend takes no requests any more. */
export function endRamp(core: Core, backend: string): void {
  if (core.ramps.delete(backend)) setShare(core, backend, WHOLE);
}

/** Brings every ramp to where it is at the time of the fact at hand. */
export function advanceRamps(core: Core): void {
  const { slowStartMs = 0 } = core.config.health;
  for (const [backend, since] of core.ramps) {
    const sixteenths = slowStartMs === 0 ? WHOLE : sixteenthsAt(since, core.at, slowStartMs);
    if (sixteenths === WHOLE) core.ramps.delete(backend);
    setShare(core, backend, sixteenths);
  }
}

function setShare(core: Core, backend: string, sixteenths: number): void {
  const peer = selectorOf(core).peers.find((candidate) => candidate.backend === backend);
  const effectiveWeight = ((peer?.weight ?? 0) * sixteenths) / WHOLE;
  if (peer !== undefined && peer.effectiveWeight !== effectiveWeight) {
    tellSelector(core, { type: 'ramped', backend, effectiveWeight });
  }
  const pool = present(poolOfBackend(core, backend), 'the pool of a backend');
  const limit = Math.max(1, Math.floor((pool.size * sixteenths) / WHOLE));
  if (pool.limit !== limit) tellPool(core, { type: 'limited', backend, limit });
  syncRoom(core, backend);
}
