/**
 * Checks the invariants of a running gateway's core, once a second at most, and only after entries that are not plain traffic,
 * so that the check costs nothing that could be measured.
 */
import { filter, map, type Observable } from 'rxjs';
import type { Core } from '../actors/core.ts';
import type { Entry } from '../actors/events.ts';
import { breachesAt } from '../actors/invariants.ts';

const SAMPLE_EVERY_MS = 1_000;

export type Sample = {
  /** The number of the entry after which the core was looked at. */
  readonly seq: number;
  /** What was wrong then, in words; nothing if all was well. */
  readonly breaches: readonly string[];
};

/** @param notable$ entries beside those of plain traffic, each before the next fact reaches the core */
export function sampleInvariants(notable$: Observable<Entry>, core: Core): Observable<Sample> {
  let next = Number.NEGATIVE_INFINITY;
  return notable$.pipe(
    filter(({ at }) => at >= next),
    map(({ at, seq }) => {
      next = at + SAMPLE_EVERY_MS;
      return { seq, breaches: breachesAt(core) };
    }),
  );
}
