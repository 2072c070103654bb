/** Scenarios that several what-if tests record. */
import type { Scenario, ScriptedBackend } from '../support/scenario.ts';

/** Answers in 200 to 600 ms. */
const steady = (port: number): ScriptedBackend => ({
  port,
  answer: (_at, random) => ({ firstByteMs: 20, totalMs: 200 + Math.floor(random() * 400) }),
});

/** Two backends; the probes of `b` fail four times in a row while it serves. */
export const FLAP: Scenario = {
  backends: {
    a: steady(8001),
    b: {
      ...steady(8002),
      probe: (at) => (at > 20_000 && at < 28_000 ? { latencyMs: 1, fails: 'status 500' } : { latencyMs: 1 }),
    },
  },
  config: { 'health.intervalMs': 2000 },
  durationMs: 60_000,
  everyMs: 100,
  seed: 11,
};

/** One backend that gets about as much as a pool of 4 can take, in bursts. */
export const BUSY_POOL: Scenario = {
  backends: { a: steady(8001) },
  config: { 'pool.size': 4, 'pool.queue.timeoutMs': 1000, 'pool.queue.max': 50 },
  durationMs: 60_000,
  everyMs: (at) => (at % 10_000 < 3000 ? 70 : 160),
  seed: 12,
};

const isOut = (at: number) => at > 30_000 && at < 50_000;

/** Everything at once: an outage, broken and failing answers, stale sockets, clients that leave, waits, operators. */
export function turmoil(seed: number): Scenario {
  return {
    backends: {
      a: {
        port: 8001,
        idleMs: 900,
        probe: (at) => (isOut(at) ? { latencyMs: 1, fails: 'refused' } : { latencyMs: 2 }),
        connect: (at) => (isOut(at) ? { ms: 1, fails: 'refused' } : { ms: 1 }),
        answer: (at, random) =>
          isOut(at)
            ? { totalMs: 2, fails: 'reset' }
            : { firstByteMs: 20, totalMs: 300 + Math.floor(random() * 400) },
      },
      b: {
        port: 8002,
        weight: 2,
        idleMs: 700,
        answer: (_at, random) => ({
          firstByteMs: 30,
          totalMs: 500 + Math.floor(random() * 900),
          reusable: random() > 0.1,
        }),
      },
      c: {
        port: 8003,
        answer: (_at, random) =>
          random() < 0.02
            ? { firstByteMs: 20, totalMs: 300, fails: 'reset' }
            : {
                firstByteMs: 40,
                totalMs: 100 + Math.floor(random() * 2000),
                status: random() < 0.05 ? 503 : 200,
              },
      },
    },
    config: {
      'pool.size': 4,
      'pool.queue.max': 20,
      'pool.queue.timeoutMs': 1500,
      'pool.idleTimeoutMs': 5000,
      'pool.sweepIntervalMs': 3000,
      'health.intervalMs': 2000,
    },
    durationMs: 90_000,
    everyMs: 60,
    seed,
    patienceMs: (_request, random) => (random() < 0.05 ? Math.floor(random() * 800) : undefined),
    also: [
      { at: 60_000, fact: { type: 'operator.drained', backend: 'b' } },
      { at: 70_000, fact: { type: 'operator.restored', backend: 'b' } },
    ],
    stops: seed % 2 === 0,
  };
}
