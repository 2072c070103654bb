/** The answer to a what-if as one object: what `--json` prints, and what the text and the page are made of. */
import type { Decision, Fact } from '../../actors/events.ts';
import type { ChangedRequest } from '../../simulation/differences.ts';
import type { AnswerCounts } from '../../simulation/evidence.ts';
import type { Fate, Measured } from '../../simulation/meter.ts';
import type { Recording, WhatIf } from '../../simulation/what-if.ts';
import type { Damage } from '../event-log/reader.ts';
import type { ChangedKey } from './config.ts';
import type { Exception } from './exceptions.ts';
import { type Summary, summarize } from './summary.ts';

export type Report = {
  readonly record: {
    readonly path: string;
    readonly from: number;
    readonly to: number;
    readonly entries: number;
    /** Parts that each begin with a recorded state: one for each start of the gateway and each gap. */
    readonly runs: number;
  };
  readonly config: { readonly changed: readonly ChangedKey[] };
  readonly seed: number;
  readonly exactness: {
    /** The last entry whose decisions are exact; null if all are. */
    readonly exactUntil: { readonly seq: number; readonly at: number } | null;
    /** What of the change is not in the answer, however exact that is. */
    readonly exceptions: readonly Exception[];
    readonly answers: AnswerCounts;
    /** Whether the simulated world leads to the record under the recorded config. */
    readonly reproduction: {
      readonly faithful: boolean;
      readonly missed: number;
      readonly firstMissed: number | null;
    };
  };
  readonly before: Summary;
  readonly after: Summary;
  readonly differences: { readonly total: number; readonly first: readonly ReportedDifference[] };
  readonly requests: {
    readonly changed: number;
    readonly transitions: readonly {
      readonly before: string;
      readonly after: string;
      readonly count: number;
    }[];
    readonly first: readonly { readonly before: ReportedFate; readonly after: ReportedFate }[];
  };
  readonly notes: readonly string[];
  readonly damage: readonly Damage[];
};

export type ReportedDifference = {
  readonly seq: number;
  readonly at: number;
  readonly fact: Fact;
  readonly before: readonly Decision[];
  readonly after: readonly Decision[];
};

type ReportedFate = {
  readonly request: number;
  readonly requestId: string;
  readonly at: number;
  readonly outcome: string;
  readonly backend: string | null;
  readonly waitedMs: number | null;
  readonly totalMs: number | null;
};

const MOST_DIFFERENCES = 20;
const MOST_REQUESTS = 1000;

export type ReportParts = {
  readonly path: string;
  readonly recording: Recording;
  readonly answer: WhatIf;
  readonly changed: readonly ChangedKey[];
  readonly exceptions: readonly Exception[];
  readonly seed: number;
  readonly notes: readonly string[];
  readonly damage: readonly Damage[];
};

export function createReport(parts: ReportParts): Report {
  const { path, recording, answer, changed, exceptions, seed, notes, damage } = parts;
  const { runs } = recording;
  const { reproduction, differences } = answer;
  const from = runs[0]?.outside[0]?.at ?? runs[0]?.start.at ?? 0;
  const to = runs.at(-1)?.end.at ?? from;
  return {
    record: {
      path,
      from,
      to,
      entries: runs.reduce((total, { entries }) => total + entries, 0),
      runs: runs.length,
    },
    config: { changed },
    seed,
    exactness: {
      exactUntil: exactUntil(recording, answer),
      exceptions,
      answers: answer.answers,
      reproduction: {
        faithful: reproduction.missed === 0,
        missed: reproduction.missed,
        firstMissed: reproduction.firstMissed ?? null,
      },
    },
    before: summarize(answer.before, to),
    after: summarize(answer.after, to),
    differences: {
      total: differences.count,
      first: differences.first
        .slice(0, MOST_DIFFERENCES)
        .map(({ seq, at, fact, before, after }) => ({ seq, at, fact, before, after })),
    },
    requests: {
      changed: answer.changed.length,
      transitions: transitionsOf(answer.changed),
      first: answer.changed
        .slice(0, MOST_REQUESTS)
        .map(({ before, after }) => ({ before: reported(before), after: reported(after) })),
    },
    notes,
    damage,
  };
}

function exactUntil({ runs }: Recording, { exactUntil: until }: WhatIf): Report['exactness']['exactUntil'] {
  const run = until === undefined ? undefined : runs[until.run];
  if (until === undefined || run === undefined) return null;
  const { seq } = until;
  const outside = run.outside.findLast((fact) => fact.seq <= seq)?.at ?? run.start.at;
  return { seq, at: run.decided.at(seq) ?? outside };
}

function transitionsOf(changed: readonly ChangedRequest[]): Report['requests']['transitions'] {
  const counts = new Map<string, { before: string; after: string; count: number }>();
  for (const { before, after } of changed) {
    const key = `${before.outcome} ${after.outcome}`;
    const known = counts.get(key) ?? { before: before.outcome, after: after.outcome, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  return [...counts.values()].sort((one, other) => other.count - one.count);
}

function reported(fate: Fate): ReportedFate {
  const { request, requestId, at, outcome, backend = null, waitedMs = null, totalMs = null } = fate;
  return { request, requestId, at, outcome, backend, waitedMs, totalMs };
}

/** What the page plots beside the report. */
export type Courses = { readonly before: Measured; readonly after: Measured };
