/**
 * Records made-up events: the real core in a simulated world whose backends are given as functions of the time. What
 * comes out is the text of an event log of one segment, the same for the same scenario.
 */
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Fact, ProbeFailure, UpstreamFailure } from '../../src/actors/events.ts';
import { LOG_VERSION } from '../../src/actors/log-lines.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import { judge } from '../../src/io/config/judge.ts';
import type { Config } from '../../src/io/config/schema.ts';
import { encodeLine } from '../../src/io/event-log/lines.ts';
import { segmentName, stateHash } from '../../src/io/event-log/segments.ts';
import { coreConfigOf } from '../../src/io/live-config.ts';
import { createRandom, seedFrom } from '../../src/simulation/random.ts';
import { createWorld, type Step, type Surroundings } from '../../src/simulation/world.ts';

/** How a backend behaves at a moment, in milliseconds since the start of the scenario. */
export type ScriptedBackend = {
  readonly port: number;
  readonly weight?: number;
  probe?(at: number): { latencyMs: number; fails?: ProbeFailure };
  connect?(at: number): { ms: number; fails?: UpstreamFailure };
  /** `firstByteMs` and `totalMs` from the grant; without `totalMs` it never ends. */
  answer(
    at: number,
    random: () => number,
  ): {
    firstByteMs?: number;
    totalMs?: number;
    status?: number;
    retryAfterMs?: number;
    fails?: UpstreamFailure;
    reusable?: boolean;
  };
  /** How long it keeps an idle socket. */
  readonly idleMs?: number;
};

export type Scenario = {
  readonly backends: Readonly<Record<string, ScriptedBackend>>;
  /** By key, such as `health.fall`. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly durationMs: number;
  /** Time between two requests on average, which may change. */
  readonly everyMs: number | ((at: number) => number);
  readonly seed: number;
  /** Further facts, at moments since the start. */
  readonly also?: readonly { readonly at: number; readonly fact: Fact }[];
  /** After how long the client of a request leaves, if it does. */
  patienceMs?(request: number, random: () => number): number | undefined;
  /** Whether the gateway stops at the end. */
  readonly stops?: boolean;
};

/** Entries from one checkpoint to the next. */
const CHECKPOINT_ENTRIES = 1000;
const SCENARIO_START = Date.UTC(2026, 0, 15, 3, 12);

/** The config of a scenario, whole. */
export function configOf({ backends, config = {} }: Scenario): Config {
  const list = Object.entries(backends).map(([id, { port, weight = 1 }]) => ({
    id,
    host: '127.0.0.1',
    port,
    weight,
  }));
  const { config: judged, faults } = judge(new Map(Object.entries({ backends: list, ...config })), false);
  if (faults.length > 0)
    throw new TypeError(`the config of the scenario is wrong: ${JSON.stringify(faults)}`);
  return judged;
}

/** @returns the name and the text of the segment */
export function recordScenario(scenario: Scenario): { name: string; text: string } {
  const config = configOf(scenario);
  const balancer = createBalancer();
  const lines: string[] = [];
  let seq = 0;
  const state = (type: 'snapshot' | 'checkpoint', at: number) => {
    const snapshot = takeSnapshot(balancer.core);
    const opening = { v: LOG_VERSION, seq, at, hash: stateHash(JSON.stringify(snapshot)) } as const;
    lines.push(
      encodeLine(
        type === 'snapshot' ? { ...opening, type, state: snapshot } : { ...opening, type },
        lines.length + 1,
      ),
    );
  };
  const onStep = ({ at, fact, decisions }: Step) => {
    seq += 1;
    lines.push(encodeLine({ v: LOG_VERSION, seq, at, fact, decisions }, lines.length + 1));
    if (seq % CHECKPOINT_ENTRIES === 0) state('checkpoint', at);
  };

  const header = { v: LOG_VERSION, type: 'segment', product: '0.1.0', seq: 1, at: SCENARIO_START } as const;
  lines.push(encodeLine({ ...header, reason: 'started', previous: null, config }, 1));
  state('snapshot', SCENARIO_START);
  const start = { at: SCENARIO_START, rank: undefined };
  const world = createWorld({ balancer, surroundings: surroundingsOf(scenario), start, onStep });
  world.take({ type: 'gateway.started', version: '0.1.0', config: coreConfigOf(config) }, start);
  for (const { at, fact } of outsideOf(scenario, config)) {
    const moment = { at: SCENARIO_START + at, rank: undefined };
    world.advance(moment);
    if (fact.type === 'client.aborted' && !balancer.core.requests.has(fact.request)) continue;
    world.take(fact, moment);
  }
  world.advance({ at: SCENARIO_START + scenario.durationMs, rank: undefined });
  if (scenario.stops === true) {
    world.take({ type: 'gateway.stopping' }, { at: SCENARIO_START + scenario.durationMs, rank: undefined });
    world.advance({ at: Number.POSITIVE_INFINITY, rank: undefined });
  }
  return { name: segmentName(1), text: lines.join('') };
}

function surroundingsOf({ backends, seed }: Scenario): Surroundings {
  const random = createRandom(seedFrom(seed, 'answers'));
  const since = (at: number) => at - SCENARIO_START;
  return {
    open({ backend }, { at }) {
      const { ms, fails } = backends[backend]?.connect?.(since(at)) ?? { ms: 1 };
      return fails === undefined ? { ok: true, afterMs: ms } : { ok: false, reason: fails, afterMs: ms };
    },
    answer({ backend }, { at }) {
      const {
        firstByteMs,
        totalMs,
        status = 200,
        fails,
        reusable = true,
        retryAfterMs,
      } = backends[backend]?.answer(since(at), random) ?? {};
      const head = { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
      const started = firstByteMs === undefined ? undefined : { afterMs: firstByteMs, ...head };
      if (totalMs === undefined) return { started };
      const amount = {
        afterMs: totalMs,
        bytes: started === undefined ? 0 : 2400,
        chunks: started === undefined ? 0 : 40,
      };
      const ended =
        fails === undefined
          ? ({ ...amount, ...head, ok: true, reusable } as const)
          : ({ ...amount, ok: false, reason: fails, written: true } as const);
      return { started, ended };
    },
    keep({ backend }) {
      const idleMs = backends[backend]?.idleMs;
      return idleMs === undefined ? undefined : { afterMs: idleMs };
    },
    deadline: (_request, deadline, { at }) => ({ afterMs: deadline - at }),
    ejection: (_backend, deadline, { at }) => ({ afterMs: deadline - at }),
  };
}

type Timed = { readonly at: number; readonly fact: Fact };

function outsideOf(scenario: Scenario, config: Config): Timed[] {
  const { durationMs, also = [] } = scenario;
  const facts: Timed[] = [...also, ...arrivalsOf(scenario), ...probesOf(scenario, config)];
  const { sweepIntervalMs } = config.pool;
  for (let at = sweepIntervalMs; at < durationMs; at += sweepIntervalMs) {
    facts.push({ at, fact: { type: 'timer.fired', timer: 'sweep' } });
  }
  return facts.filter(({ at }) => at < durationMs).sort((one, other) => one.at - other.at);
}

/** Clients that know nothing of one another: the times between them are distributed exponentially. */
function* arrivalsOf({ durationMs, everyMs, seed, patienceMs }: Scenario): Generator<Timed> {
  const random = createRandom(seedFrom(seed, 'arrivals'));
  let request = 0;
  for (let at = 0; ; ) {
    const mean = typeof everyMs === 'number' ? everyMs : everyMs(at);
    at += Math.round(-Math.log(1 - random()) * mean);
    if (at >= durationMs) return;
    request += 1;
    const requestId = `req-${String(request).padStart(5, '0')}`;
    const sizes = { bodyBytes: 400 + Math.floor(random() * 3000), replayable: true };
    const fact: Fact = {
      type: 'request.received',
      request,
      requestId,
      method: 'POST',
      path: '/v1/chat/completions',
      ...sizes,
    };
    yield { at, fact };
    const patience = patienceMs?.(request, random);
    if (patience !== undefined) yield { at: at + patience, fact: { type: 'client.aborted', request } };
  }
}

function* probesOf({ backends, durationMs, seed }: Scenario, { health }: Config): Generator<Timed> {
  for (const [backend, { probe }] of Object.entries(backends)) {
    const random = createRandom(seedFrom(seed, 'probes', backend));
    for (let tick = 0; tick < durationMs; tick += Math.round(health.intervalMs * (0.9 + 0.2 * random()))) {
      const { latencyMs, fails } = probe?.(tick) ?? { latencyMs: 2 };
      const late = latencyMs >= health.timeoutMs;
      const at = tick + Math.min(latencyMs, health.timeoutMs);
      const reason = late ? 'timeout' : fails;
      const result: Fact =
        reason === undefined
          ? { type: 'probe.succeeded', backend, status: 200, latencyMs: at - tick }
          : { type: 'probe.failed', backend, reason, latencyMs: at - tick };
      yield { at, fact: result };
    }
  }
}
