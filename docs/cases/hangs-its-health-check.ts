/**
 * Records the case of `hangs-its-health-check.md`: for 21 seconds one of two backends does not answer its health
 * check, while it serves requests as well as ever. A long prefill that keeps the server's event loop busy does that.
 *
 *     node docs/cases/hangs-its-health-check.ts FOLDER
 */
import type { Scenario } from '../../test/support/scenario.ts';
import { writeCase } from './write-case.ts';

const HANGS_FROM_MS = 61_000;
const HANGS_UNTIL_MS = 82_000;

const well = (random: () => number) => {
  const firstByteMs = 200 + Math.floor(random() * 300);
  return { firstByteMs, totalMs: firstByteMs + 1200 + Math.floor(random() * 2600) };
};

const HANGS_ITS_HEALTH_CHECK: Scenario = {
  backends: {
    'gpu-1': { port: 8001, answer: (_at, random) => well(random) },
    'gpu-2': {
      port: 8002,
      answer: (_at, random) => well(random),
      // It does not answer within any timeout.
      probe: (at) => ({ latencyMs: at >= HANGS_FROM_MS && at < HANGS_UNTIL_MS ? 60_000 : 3 }),
    },
  },
  config: { 'pool.size': 8, 'pool.queue.max': 40, 'pool.queue.timeoutMs': 5000 },
  durationMs: 180_000,
  everyMs: 220,
  seed: 5,
};

if (import.meta.main) writeCase(HANGS_ITS_HEALTH_CHECK, process.argv[2]);
