/** What is drawn from a seed: the size of its world, how long it runs, its faults, and the config it begins with. */
import type { BackendSettings, CoreConfig, RetryCondition } from '../src/actors/events.ts';
import { between, chance, type Draw, drawFor, oneOf, someOf, spread } from './draw.ts';
import { FAULTS, type Fault } from './faults.ts';

/** Small enough to be printed, typed in again, and made smaller part by part. */
export type Scenario = {
  readonly seed: number;
  /** Facts until the faults stop. */
  readonly steps: number;
  readonly backends: number;
  readonly faults: readonly Fault[];
};

/** Settings of everything outside the core. In the daemon a reload may change them; here they stay as they are. */
export type WorldSettings = {
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly sweepIntervalMs: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly tunnelWaitMs: number;
  /** Between two faults of one backend, on average. */
  readonly faultEveryMs: number;
  /** Facts that come while nobody sends anything: probes and sweeps. */
  readonly quietFactsPerMs: number;
  /** Between two actions of operators, on average. */
  readonly operatorEveryMs: number;
  /** How much comes in a burst, in shares of what all backends can do together. */
  readonly load: number;
  /** How late a timer may fire. */
  readonly latestMs: number;
};

/** @param steps facts until the faults stop */
export function drawScenario(seed: number, steps: number): Scenario {
  const draw = drawFor(seed, 'scenario');
  const size = draw();
  const backends =
    size < 0.5 ? between(draw, 1, 4) : size < 0.85 ? between(draw, 5, 12) : between(draw, 13, 50);
  // Most seeds have few kinds of faults, so that others do not hide how those combine; some have nearly all at once.
  const share = oneOf(draw, [0.1, 0.2, 0.35, 0.6, 0.9]);
  // Reading the log back at the end takes longer than everything else, and does not depend on the other faults.
  const faults = someOf(draw, FAULTS, share).filter((fault) => fault !== 'disk' || chance(draw, 0.4));
  return { seed, steps, backends, faults };
}

export function drawSettings({ seed, faults, backends }: Scenario): WorldSettings {
  const draw = drawFor(seed, 'settings');
  const probeIntervalMs = chance(draw, 0.3) ? spread(draw, 1_000, 60_000) : spread(draw, 60_000, 3_600_000);
  const sweepIntervalMs = Math.max(spread(draw, 1_000, 600_000), Math.round(probeIntervalMs / 4));
  const quietFactsPerMs = backends / probeIntervalMs + 1 / sweepIntervalMs;
  return {
    probeIntervalMs,
    probeTimeoutMs: spread(draw, 100, Math.min(probeIntervalMs * 2, 30_000)),
    sweepIntervalMs,
    quietFactsPerMs,
    connectTimeoutMs: spread(draw, 50, 5_000),
    headersTimeoutMs: spread(draw, 1_000, 60_000),
    idleTimeoutMs: spread(draw, 500, 30_000),
    tunnelWaitMs: spread(draw, 100, 30_000),
    faultEveryMs: spread(draw, 5_000, 7_200_000),
    // Not more often than so many facts: in a world with long quiet times most facts would be reloads.
    operatorEveryMs: Math.max(spread(draw, 10_000, 14_400_000), spread(draw, 20, 400) / quietFactsPerMs),
    load: faults.includes('flood') ? spread(draw, 20, 60) / 10 : spread(draw, 1, 15) / 10,
    latestMs: faults.includes('lateTimers') ? spread(draw, 5, 3_000) : 0,
  };
}

export function backendId(index: number): string {
  return `b${index + 1}`;
}

/** A few heavy ones among light ones, all alike, or anything. */
function drawWeight(draw: Draw, kind: 'alike' | 'small' | 'uneven'): number {
  if (kind === 'alike') return 1;
  return kind === 'small' ? between(draw, 1, 10) : spread(draw, 1, 200);
}

function drawBackends(draw: Draw, ids: readonly string[], mayMove: boolean): BackendSettings[] {
  const kind = oneOf(draw, ['alike', 'small', 'small', 'uneven']);
  return ids.map((id, index) => ({
    id,
    protocol: 'http',
    host: '127.0.0.1',
    port: 9001 + index + (mayMove && chance(draw, 0.2) ? 1000 : 0),
    weight: drawWeight(draw, kind),
  }));
}

const CONDITIONS: readonly RetryCondition[] = ['emptyResponse', '429', '502', '503'];

/** @param mayMove whether backends may be at other addresses than in the first config */
export function drawConfig(draw: Draw, ids: readonly string[], mayMove: boolean): CoreConfig {
  return {
    backends: drawBackends(draw, ids, mayMove),
    health: {
      fall: between(draw, 1, 4),
      rise: between(draw, 1, 4),
      initial: chance(draw, 0.8) ? 'healthy' : 'unhealthy',
      ...(chance(draw, 0.5) ? { slowStartMs: chance(draw, 0.2) ? 0 : spread(draw, 100, 120_000) } : {}),
    },
    pool: {
      size: oneOf(draw, [1, 1, 2, 3, 5, 8, 32]),
      idleTimeoutMs: spread(draw, 500, 120_000),
      ...(chance(draw, 0.5) ? { maxLifetimeMs: chance(draw, 0.3) ? 0 : spread(draw, 500, 600_000) } : {}),
      queue: { max: oneOf(draw, [0, 1, 5, 20, 100]), timeoutMs: spread(draw, 50, 60_000) },
    },
    retry: {
      attempts: between(draw, 0, 3),
      on: someOf(draw, CONDITIONS, 0.5),
      ...(chance(draw, 0.5)
        ? { budgetShare: between(draw, 0, 10) / 10, budgetWindowMs: spread(draw, 100, 60_000) }
        : {}),
    },
    ...(chance(draw, 0.6) ? { outlier: drawOutlier(draw) } : {}),
  };
}

function drawOutlier(draw: Draw): NonNullable<CoreConfig['outlier']> {
  const baseEjectionMs = spread(draw, 100, 60_000);
  return {
    consecutiveFailures: between(draw, 0, 5),
    baseEjectionMs,
    maxEjectionMs: baseEjectionMs * between(draw, 1, 10),
    maxEjectedShare: between(draw, 0, 10) / 10,
  };
}

/** The config that the run begins with. */
export function firstConfig({ seed, backends }: Scenario): CoreConfig {
  const ids = Array.from({ length: backends }, (_, index) => backendId(index));
  return drawConfig(drawFor(seed, 'config'), ids, false);
}
