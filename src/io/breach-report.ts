/**
 * Reports breaches of the invariants, which are mistakes in Reprise itself and cost no request. All are counted; each kind is
 * logged once, so that they do not fill the log however long one stays and whatever numbers are in it.
 */
import type { Sample } from '../streams/sampled-invariants.ts';
import type { Logger } from './log.ts';

export type BreachReport = {
  /** Breaches found since the start; one that stays is found again at each look. */
  readonly count: number;
  take(sample: Sample): void;
};

/** Counts and numbers of requests, which change from look to look; not those within the name of a backend. */
const NUMBERS = /(?<![\w.:-])\d+(?:,\d+)*(?![\w.:-])/g;
/** What is said of one breach; a whole line of requests may be in it. */
const MOST_SAID = 200;

export function createBreachReport(log: Logger): BreachReport {
  let count = 0;
  const known = new Set<string>();
  return {
    get count() {
      return count;
    },
    take({ seq, breaches: found }) {
      count += found.length;
      const breaches: string[] = [];
      for (const breach of found) {
        const kind = breach.replace(NUMBERS, '#');
        if (known.has(kind)) continue;
        known.add(kind);
        breaches.push(breach.length > MOST_SAID ? `${breach.slice(0, MOST_SAID)}…` : breach);
      }
      if (breaches.length === 0) return;
      log.error(
        { seq, breaches },
        `a mistake in Reprise itself: ${breaches.join('; ')}; serving goes on, please report it with the event log around entry ${seq}`,
      );
    },
  };
}
