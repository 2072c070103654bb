/**
 * The wall clock as facts need it. It starts at the time of day and runs on the monotonic clock from there, so
 * that a correction of the system's time can neither stop nor reverse the order and distance of entries.
 */
import type { Clock } from '../streams/ports.ts';

export function createClock(): Clock {
  const origin = Date.now() - performance.now();
  return { now: () => Math.round(origin + performance.now()) };
}
