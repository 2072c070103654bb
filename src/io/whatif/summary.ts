/** The figures of one course, recorded or simulated, as they stand in the report. */
import type { BackendStatus } from '../../actors/events.ts';
import type { Band, Measured, Outcome } from '../../simulation/meter.ts';

/** Times in milliseconds; null where there are none. */
export type Spread = {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

export type BackendSummary = {
  readonly id: string;
  readonly requests: number;
  readonly errors: number;
  readonly failures: number;
  readonly socketsOpened: number;
  readonly stateChanges: number;
  readonly unhealthyMs: number;
  readonly drainingMs: number;
  readonly states: readonly {
    readonly from: number;
    readonly to: number;
    readonly state: BackendStatus | null;
  }[];
};

export type Summary = {
  readonly received: number;
  readonly served: number;
  /** Answered by a backend with a status of 500 or more. */
  readonly errors: number;
  /** The answer broke off after it had begun. */
  readonly broken: number;
  readonly aborted: number;
  readonly underWay: number;
  readonly rejected: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly stateChanges: number;
  readonly waits: Spread;
  /** Of served requests, from arrival. */
  readonly firstByte: Spread;
  readonly latency: Spread;
  readonly backends: readonly BackendSummary[];
};

const NO_REJECTION: readonly Outcome[] = ['served', 'error', 'broken', 'aborted', 'underWay'];

/** @param until the end of the record, so that time in a state is compared over the same span */
export function summarize({ fates, backends, bands }: Measured, until: number): Summary {
  const outcomes = new Map<Outcome, number>();
  const waits: number[] = [];
  const firstBytes: number[] = [];
  const latencies: number[] = [];
  let retries = 0;
  for (const { outcome, waitedMs, firstByteMs, totalMs, retries: again } of fates) {
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    retries += again;
    if (waitedMs !== undefined) waits.push(waitedMs);
    if (outcome !== 'served') continue;
    if (firstByteMs !== undefined) firstBytes.push(firstByteMs);
    if (totalMs !== undefined) latencies.push(totalMs);
  }
  const count = (outcome: Outcome) => outcomes.get(outcome) ?? 0;
  const rejections = [...outcomes].filter(([outcome]) => !NO_REJECTION.includes(outcome)).sort();
  return {
    received: fates.length,
    served: count('served'),
    errors: count('error'),
    broken: count('broken'),
    aborted: count('aborted'),
    underWay: count('underWay'),
    rejected: rejections.reduce((total, [, number]) => total + number, 0),
    rejectedByCode: Object.fromEntries(rejections),
    retries,
    stateChanges: [...backends.values()].reduce((total, { stateChanges }) => total + stateChanges, 0),
    waits: spreadOf(waits),
    firstByte: spreadOf(firstBytes),
    latency: spreadOf(latencies),
    backends: [...backends].map(([id, counts]) => ({
      id,
      ...counts,
      ...statesOf(bands.get(id) ?? [], until),
    })),
  };
}

/** Nearest-rank percentiles: each is a time that occurred. */
function spreadOf(times: number[]): Spread {
  times.sort((one, other) => one - other);
  const at = (share: number) => times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? null;
  return { count: times.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function statesOf(
  bands: readonly Band[],
  until: number,
): Pick<BackendSummary, 'unhealthyMs' | 'drainingMs' | 'states'> {
  const within = bands
    .map(({ from, to, state = null }) => ({ from, to: Math.min(to, until), state }))
    .filter(({ from, to }) => to > from);
  const timeIn = (...wanted: readonly (BackendStatus | null)[]) =>
    within.reduce((total, { from, to, state }) => total + (wanted.includes(state) ? to - from : 0), 0);
  return { unhealthyMs: timeIn('unhealthy'), drainingMs: timeIn('draining', 'drained'), states: within };
}
