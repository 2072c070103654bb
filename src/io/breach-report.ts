/**
 * Reports breaches of the invariants: all are counted, and logged when they differ from those of the last look. They are
 * mistakes in Reprise itself and cost no request.
 */
import type { Sample } from '../streams/sampled-invariants.ts';
import type { Logger } from './log.ts';

export type BreachReport = {
  /** Breaches found since the start; one that stays is found again at each look. */
  readonly count: number;
  take(sample: Sample): void;
};

export function createBreachReport(log: Logger): BreachReport {
  let count = 0;
  let last = '';
  return {
    get count() {
      return count;
    },
    take({ seq, breaches }) {
      count += breaches.length;
      const text = breaches.join('; ');
      if (text !== last && text !== '')
        log.error(
          { seq, breaches },
          `a mistake in Reprise itself: ${text}; serving goes on, please report it with the event log around entry ${seq}`,
        );
      last = text;
    },
  };
}
