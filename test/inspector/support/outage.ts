/**
 * A recording to look at: three backends for four minutes, of which one is gone for over a minute, a config is refused, a
 * rush fills the pools, and an operator drains a backend and restores it.
 */
import type { Scenario, ScriptedBackend } from '../../support/scenario.ts';

const SECOND = 1000;
/** When the backend `llama-small` goes and comes back, in milliseconds since the start. */
const GONE = { from: 70 * SECOND, until: 140 * SECOND };

/** @param scale how much of the traffic there is; 1 is about 25 requests per second */
export function outage(scale: number): Scenario {
  const serves =
    (totalMs: number): ScriptedBackend['answer'] =>
    (_at, random) => ({ firstByteMs: 20 + random() * 60, totalMs: totalMs * (1 + random()) });
  const isGone = (at: number) => at > GONE.from && at < GONE.until;
  return {
    seed: 3,
    durationMs: 240 * SECOND,
    everyMs: (at) => (at > 160 * SECOND && at < 185 * SECOND ? 12 : 45) / scale,
    config: { 'health.intervalMs': 2000, 'pool.size': Math.ceil(12 * scale) },
    backends: {
      'llama-large': { port: 8001, weight: 5, answer: serves(400) },
      'llama-small': {
        port: 8002,
        weight: 2,
        answer: serves(300),
        probe: (at) => (isGone(at) ? { latencyMs: 1, fails: 'refused' } : { latencyMs: 8 }),
        connect: (at) => (isGone(at) ? { ms: 1, fails: 'refused' } : { ms: 1 }),
      },
      'qwen-coder': { port: 8003, weight: 1, answer: serves(350) },
    },
    also: [
      { at: 100 * SECOND, fact: { type: 'config.rejected', problems: 2 } },
      { at: 190 * SECOND, fact: { type: 'operator.drained', backend: 'qwen-coder' } },
      { at: 215 * SECOND, fact: { type: 'operator.restored', backend: 'qwen-coder' } },
    ],
    patienceMs: (_request, random) => (random() < 0.01 ? 200 : undefined),
  };
}
