/** Measures how long something takes that is promised to be quick, on a machine that is busy with other things. */
import { readFileSync } from 'node:fs';

/**
 * @returns milliseconds since the call, less those in which this thread was ready to run and the machine let others:
 *   they say nothing about what is measured. Only Linux tells of them; elsewhere nothing is taken off.
 */
export function startStopwatch(): () => number {
  const begun = performance.now();
  const heldUpMs = heldUpSoFarMs();
  return () => performance.now() - begun - (heldUpSoFarMs() - heldUpMs);
}

/** The second of the three figures is the time on the run queue, in nanoseconds (Documentation/scheduler/sched-stats). */
function heldUpSoFarMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
