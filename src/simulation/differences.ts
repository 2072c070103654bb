/**
 * Where a simulated course decides otherwise than the record. Lease and socket numbers are left out of the comparison:
 * after the first difference they run apart without meaning anything.
 */
import type { Decision, Fact } from '../actors/events.ts';
import { createColumn } from './columns.ts';
import { telling } from './decided.ts';
import type { Fate } from './meter.ts';
import type { RecordedRun } from './recording.ts';
import type { Step } from './world.ts';

export type Difference = {
  readonly run: number;
  readonly seq: number;
  readonly at: number;
  readonly fact: Fact;
  readonly before: readonly Decision[];
  readonly after: readonly Decision[];
};

/** A request that fared otherwise. */
export type ChangedRequest = { readonly before: Fate; readonly after: Fate };

export type DifferenceFinder = {
  take(step: Step): void;
  readonly count: number;
  readonly first: readonly Difference[];
};

const MOST_KEPT = 100;

/** Compares each step that stands in the record. */
export function createDifferenceFinder(runIndex: number, run: RecordedRun): DifferenceFinder {
  const first: Difference[] = [];
  let count = 0;
  return {
    first,
    get count() {
      return count;
    },
    take({ rank, at, fact, decisions }) {
      if (rank === undefined || (decisions.length === 0 && !run.decided.has(rank))) return;
      const before = run.decided.telling(rank);
      const after = telling(decisions);
      if (textOf(before) === textOf(after)) return;
      count += 1;
      if (first.length < MOST_KEPT) first.push({ run: runIndex, seq: rank, at, fact, before, after });
    },
  };
}

function textOf(decisions: readonly Decision[]): string {
  return decisions
    .map((decision) => {
      switch (decision.type) {
        case 'backend.changed':
          return `${decision.backend} ${decision.from} ${decision.to}`;
        case 'backend.selected':
          return `${decision.request} ${decision.backend}`;
        case 'request.rejected':
          return `${decision.request} ${decision.code}`;
        case 'request.retried':
          return `${decision.request} ${decision.from} again`;
        default:
          return 'request' in decision ? `${decision.request} waits` : '';
      }
    })
    .join();
}

/** Both courses have the same requests in the same order. */
export function changedRequests(before: readonly Fate[], after: readonly Fate[]): ChangedRequest[] {
  return before.flatMap((one, index) => {
    const other = after[index];
    if (other === undefined || other.request !== one.request) return [];
    const isSame = one.outcome === other.outcome && one.backend === other.backend;
    return isSame ? [] : [{ before: one, after: other }];
  });
}

export type ReproductionCheck = {
  take(step: Step): void;
  /** How many recorded entries with decisions the simulated course has not given back letter for letter. */
  readonly missed: number;
  readonly firstMissed: number | undefined;
};

/** Whether a course under the recorded config is the recorded one. */
export function createReproductionCheck({ decided }: RecordedRun): ReproductionCheck {
  const given = createColumn((length) => new Uint8Array(length));
  let found = 0;
  let extra = 0;
  return {
    take({ rank, at, decisions }) {
      if (decisions.length === 0) return;
      if (rank === undefined || !decided.isSame(rank, at, decisions)) extra += 1;
      else if (given.get(rank) === 0) {
        given.set(rank, 1);
        found += 1;
      }
    },
    get missed() {
      return Math.max(decided.count - found, extra);
    },
    get firstMissed() {
      if (found === decided.count) return undefined;
      let seq = decided.first;
      while (seq < decided.last && (!decided.has(seq) || given.get(seq) === 1)) seq += 1;
      return seq;
    },
  };
}
