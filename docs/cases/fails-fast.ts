/**
 * Records the case of `fails-fast.md`: one of three backends breaks and answers every request with 503 within
 * milliseconds, for 45 seconds.
 *
 *     node docs/cases/fails-fast.ts FOLDER
 */
import type { Scenario } from '../../test/support/scenario.ts';
import { writeCase } from './write-case.ts';

const BROKEN_FROM_MS = 62_000;
const BROKEN_UNTIL_MS = 107_000;

/** A small model: the first token after about a quarter of a second, all of them within two or three. */
const well = (random: () => number) => {
  const firstByteMs = 180 + Math.floor(random() * 160);
  return { firstByteMs, totalMs: firstByteMs + 900 + Math.floor(random() * 1800) };
};
const isBroken = (at: number) => at >= BROKEN_FROM_MS && at < BROKEN_UNTIL_MS;

export const FAILS_FAST: Scenario = {
  backends: {
    'gpu-1': { port: 8001, answer: (_at, random) => well(random) },
    'gpu-2': { port: 8002, answer: (_at, random) => well(random) },
    'gpu-3': {
      port: 8003,
      answer: (at, random) => (isBroken(at) ? { firstByteMs: 2, totalMs: 3, status: 503 } : well(random)),
      probe: (at) => (isBroken(at) ? { latencyMs: 1, fails: 'status 503' } : { latencyMs: 2 }),
    },
  },
  // As it is where health is only probed; what ejection makes of it is asked afterwards.
  config: { 'outlier.consecutiveFailures': 0 },
  durationMs: 180_000,
  everyMs: 150,
  seed: 3,
};

if (import.meta.main) writeCase(FAILS_FAST, process.argv[2]);
