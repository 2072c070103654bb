/**
 * What comes to the core from outside, under another config: requests, clients that leave and operators as recorded;
 * probe results as recorded where they still apply, and as they would have come where probing itself is changed.
 */
import type { CoreConfig, Fact } from '../actors/events.ts';
import type { Library } from './library.ts';
import { createRandom, seedFrom } from './random.ts';
import type { RecordedRun } from './recording.ts';
import type { Moment } from './world.ts';

/** Settings of the daemon around the core that decide which facts come, and when. */
export type Timings = {
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly sweepIntervalMs: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly bufferBytes: number;
};

export type OutsideOptions = {
  readonly run: RecordedRun;
  readonly library: Library;
  /** The config in the place of a recorded one; undefined if a recorded reload is to be left out. */
  readonly reconfigure: (recorded: CoreConfig, isReload: boolean) => CoreConfig | undefined;
  /** Backends of the config the run begins with. */
  readonly backends: readonly string[];
  readonly before: Timings;
  readonly after: Timings;
  readonly seed: number;
};

export type Outside = Moment & { readonly fact: Fact };

/** Share of the interval by which the daemon lets a tick come early or late. */
const JITTER = 0.1;
/** How long a probe of a backend takes of which nothing is recorded. */
const PROBE_MS = 1;

/** @returns the facts in the order of their times, made one by one as they are asked for */
export function outsideFacts(options: OutsideOptions): Iterable<Outside> {
  const { before, after, library, backends } = options;
  const areProbesTimed = before.probeIntervalMs !== after.probeIntervalMs;
  const areProbesLimited = before.probeTimeoutMs !== after.probeTimeoutMs;
  const areSweepsTimed = before.sweepIntervalMs !== after.sweepIntervalMs;
  const courses: Iterable<Outside>[] = [
    recordedFacts(options, (fact) =>
      isProbe(fact) ? !areProbesTimed && !areProbesLimited : fact.type !== 'timer.fired' || !areSweepsTimed,
    ),
  ];
  // Under another limit probes end in another order.
  if (areProbesLimited && !areProbesTimed) courses.push([...recordedFacts(options, isProbe)].sort(compare));
  for (const backend of backends) {
    if (areProbesTimed || !library.knows(backend)) courses.push(probeTicks(backend, options));
  }
  if (areSweepsTimed) courses.push(sweepTicks(options));
  return merge(courses);
}

function* recordedFacts(options: OutsideOptions, isWanted: (fact: Fact) => boolean): Generator<Outside> {
  const isFree = createProbeTurns();
  for (const { at, seq, fact } of options.run.outside) {
    if (!isWanted(fact)) continue;
    const adapted = adapt({ at, rank: seq, fact }, options);
    if (adapted !== undefined && (!isProbe(fact) || isFree(fact, at, adapted.at))) yield adapted;
  }
}

function compare(one: Outside, other: Outside): number {
  return one.at - other.at || (one.rank ?? Infinity) - (other.rank ?? Infinity) || 0;
}

/** Joins courses that are in order each; at one moment the earlier course comes first. */
function* merge(courses: readonly Iterable<Outside>[]): Generator<Outside> {
  const open = courses.map((course) => {
    const items = course[Symbol.iterator]();
    return { items, next: items.next() };
  });
  for (;;) {
    let [first] = open;
    for (const each of open) {
      if (each.next.done === true) continue;
      if (first === undefined || first.next.done === true || compare(each.next.value, first.next.value) < 0)
        first = each;
    }
    if (first === undefined || first.next.done === true) return;
    yield first.next.value;
    first.next = first.items.next();
  }
}

function adapt(outside: Outside, { reconfigure, before, after }: OutsideOptions): Outside | undefined {
  const { fact } = outside;
  switch (fact.type) {
    case 'gateway.started':
    case 'config.reloaded': {
      const config = reconfigure(fact.config, fact.type === 'config.reloaded');
      return config === undefined ? undefined : { ...outside, fact: { ...fact, config } };
    }
    case 'probe.succeeded':
    case 'probe.failed':
      return limitProbe(outside, fact, before.probeTimeoutMs, after.probeTimeoutMs);
    case 'request.received':
      // A longer body would have been sent on as it came, and so only once.
      return fact.bodyBytes > after.bufferBytes
        ? { ...outside, fact: { ...fact, replayable: false } }
        : outside;
    default:
      return outside;
  }
}

function isProbe(fact: Fact): fact is ProbeFact {
  return fact.type === 'probe.succeeded' || fact.type === 'probe.failed';
}

/** A backend has one probe at a time: one that now lasts longer takes the turn of the next. */
function createProbeTurns(): (fact: ProbeFact, recordedAt: number, endsAt: number) => boolean {
  const busyUntil = new Map<string, number>();
  return ({ backend, latencyMs }, recordedAt, endsAt) => {
    if (recordedAt - latencyMs < (busyUntil.get(backend) ?? Number.NEGATIVE_INFINITY)) return false;
    // One that ends as recorded was followed by the next as recorded, whatever the clocks had to say about it.
    if (endsAt > recordedAt) busyUntil.set(backend, endsAt);
    return true;
  };
}

type ProbeFact = Extract<Fact, { type: 'probe.succeeded' | 'probe.failed' }>;

/**
 * A probe under another timeout. One that timed out is taken to time out under a longer timeout too: when it would have
 * been answered is not known.
 */
function limitProbe(outside: Outside, fact: ProbeFact, before: number, after: number): Outside {
  const timedOut = fact.type === 'probe.failed' && fact.reason === 'timeout';
  if (before === after || (!timedOut && fact.latencyMs <= after)) return outside;
  const at = outside.at - fact.latencyMs + after;
  return {
    at,
    rank: undefined,
    fact: { type: 'probe.failed', backend: fact.backend, reason: 'timeout', latencyMs: after },
  };
}

/** Probes at an interval of their own, each with the result that was recorded nearest to it. */
function* probeTicks(
  backend: string,
  { run, library, before, after, seed }: OutsideOptions,
): Generator<Outside> {
  const random = createRandom(seedFrom(seed, run.start.seq, 'probe', backend));
  const until = stoppedAt(run);
  let busyUntil = Number.NEGATIVE_INFINITY;
  for (let tick = beginOf(run); ; ) {
    if (tick >= busyUntil) {
      const result = probeAt(backend, tick, library);
      const moment = { at: tick + result.latencyMs, rank: undefined };
      const outside = limitProbe(
        { ...moment, fact: result },
        result,
        before.probeTimeoutMs,
        after.probeTimeoutMs,
      );
      if (outside.at > until) return;
      yield outside;
      busyUntil = outside.at;
    }
    tick += Math.max(1, Math.round(after.probeIntervalMs * (1 + JITTER * (2 * random() - 1))));
    if (tick > until) return;
  }
}

function probeAt(backend: string, at: number, library: Library): ProbeFact {
  const probe = library.probeNear(backend, at);
  if (probe === undefined) return { type: 'probe.succeeded', backend, status: 200, latencyMs: PROBE_MS };
  const { latencyMs, result } = probe;
  return result.ok
    ? { type: 'probe.succeeded', backend, status: result.status, latencyMs }
    : { type: 'probe.failed', backend, reason: result.reason, latencyMs };
}

function* sweepTicks({ run, after }: OutsideOptions): Generator<Outside> {
  const until = stoppedAt(run);
  for (let at = beginOf(run) + after.sweepIntervalMs; at <= until; at += after.sweepIntervalMs) {
    yield { at, rank: undefined, fact: { type: 'timer.fired', timer: 'sweep' } };
  }
}

/** A run that begins with a start of the gateway has the time of it in its first entry. */
function beginOf({ outside, start }: RecordedRun): number {
  const [first] = outside;
  return first?.fact.type === 'gateway.started' ? first.at : start.at;
}

function stoppedAt({ outside, end }: RecordedRun): number {
  return outside.findLast(({ fact }) => fact.type === 'gateway.stopping')?.at ?? end.at;
}
