/** What a recording would have been under another config: both courses measured, compared, and how sure that is. */
import type { CoreSnapshot } from '../actors/snapshot.ts';
import {
  type ChangedRequest,
  changedRequests,
  createDifferenceFinder,
  createReproductionCheck,
  type Difference,
} from './differences.ts';
import type { AnswerCounts } from './evidence.ts';
import { createLibrary } from './library.ts';
import { createMeter, type Measured } from './meter.ts';
import { createRunCollector, type RecordedRun, type RunCollector } from './recording.ts';
import { type RunPlan, simulateRun } from './simulate.ts';

/** A log that has been read: what happened, measured, and what a simulated world needs. */
export type Recording = { readonly runs: readonly RecordedRun[]; readonly measured: Measured };

export type WhatIf = {
  readonly before: Measured;
  readonly after: Measured;
  readonly differences: { readonly count: number; readonly first: readonly Difference[] };
  readonly changed: readonly ChangedRequest[];
  readonly answers: AnswerCounts;
  /** The first run in which something had to be assumed, and the last entry before that; undefined if none had. */
  readonly exactUntil: { readonly run: number; readonly seq: number } | undefined;
  /** Recorded entries that the simulated world does not give back under the recorded config; 0 if it is faithful. */
  readonly reproduction: { readonly missed: number; readonly firstMissed: number | undefined };
};

export type RecordingReader = Pick<RunCollector, 'take'> & { finish(): Recording };

/** Takes in a log line by line. */
export function createRecordingReader(): RecordingReader {
  const meter = createMeter();
  let last: RecordedRun | undefined;
  const begin = (at: number, snapshot: CoreSnapshot) => meter.begin(at, snapshot);
  const end = () => {
    if (last !== undefined) meter.end(last.end.at);
  };
  const collector = createRunCollector({
    begin(run) {
      end();
      last = run;
      begin(run.start.at, run.snapshot);
    },
    step: meter.take,
  });
  return {
    take: collector.take,
    finish() {
      end();
      return { runs: collector.finish(), measured: meter.measured };
    },
  };
}

/**
 * @param planFor the other config, for each run
 * @param seed of whatever has to be drawn
 */
export function askWhatIf(
  { runs, measured }: Recording,
  planFor: (run: RecordedRun) => RunPlan,
  seed: number,
): WhatIf {
  const library = createLibrary(runs);
  const meter = createMeter();
  const first: Difference[] = [];
  const answers = { recorded: 0, moved: 0, drawn: 0, borrowed: 0 };
  let count = 0;
  let exactUntil: WhatIf['exactUntil'];
  for (const [index, run] of runs.entries()) {
    const finder = createDifferenceFinder(index, run);
    meter.begin(run.start.at, run.snapshot);
    const onStep = (step: Parameters<typeof finder.take>[0]) => {
      meter.take(step);
      finder.take(step);
    };
    const evidence = simulateRun({ run, plan: planFor(run), library, seed, onStep });
    meter.end(run.end.at);
    first.push(...finder.first);
    count += finder.count;
    for (const source of ['recorded', 'moved', 'drawn', 'borrowed'] as const) {
      answers[source] += evidence.answers[source];
    }
    if (evidence.exactUntil !== undefined) exactUntil ??= { run: index, seq: evidence.exactUntil };
  }
  return {
    before: measured,
    after: meter.measured,
    differences: { count, first },
    changed: changedRequests(measured.fates, meter.measured.fates),
    answers,
    exactUntil,
    reproduction: reproduce(runs, planFor, library, seed),
  };
}

/** Runs the recorded config through the simulated world, which must lead to the record. */
function reproduce(
  runs: readonly RecordedRun[],
  planFor: (run: RecordedRun) => RunPlan,
  library: ReturnType<typeof createLibrary>,
  seed: number,
): WhatIf['reproduction'] {
  let missed = 0;
  let firstMissed: number | undefined;
  for (const run of runs) {
    const check = createReproductionCheck(run);
    const { before } = planFor(run);
    const plan: RunPlan = { core: (config) => config, isFixed: false, before, after: before };
    simulateRun({ run, plan, library, seed, onStep: check.take });
    missed += check.missed;
    firstMissed ??= check.firstMissed;
  }
  return { missed, firstMissed };
}
