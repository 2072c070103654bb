/** CPU time per chunk and what a proxy adds to first byte and chunks, with few streams ("lite") and with many ("heavy"). */
import { setTimeout as sleep } from 'node:timers/promises';
import { startStreamBackends } from './backends.ts';
import type { Bench } from './bench-run.ts';
import { type RunningProxy, startProxy } from './proxies.ts';
import { quantile } from './statistics.ts';
import { loadStreams, type StreamFigures } from './stream-load.ts';
import { cpuUs } from './usage.ts';

/** Of one proxy under one load, by round. */
export type StreamResult = {
  readonly cpuSPer100kChunks: number[];
  readonly firstByteP50Ms: number[];
  readonly firstByteP99Ms: number[];
  readonly delayP50Ms: number[];
  readonly delayP99Ms: number[];
  completed: number;
  /** How many streams failed in all rounds, by what was wrong. */
  readonly errors: Map<string, number>;
};

export type StreamsLoadResult = {
  readonly label: string;
  readonly streams: number;
  readonly results: Map<string, StreamResult>;
};

const CHUNKS = 50;
const GAP_MS = 20;
/** Beyond what any load here needs, so that no stream waits for a socket. */
const MAX_SOCKETS = 4096;
const LOADS = [
  { label: 'lite', streams: 100, ms: 3_000 },
  { label: 'heavy', streams: 1000, ms: 4_000 },
];
const QUICK_LOADS = [{ label: 'quick', streams: 10, ms: 200 }];
const WARM_UP = { streams: 50, ms: 3_000 };
const ROUNDS = 5;
/** See requests.ts: what a proxy puts off is counted too. */
const AFTERMATH_MS = 80;

/** Measures every contestant of the run but Reprise without its event log, which is no different here. */
export async function measureStreams(bench: Bench): Promise<StreamsLoadResult[]> {
  const { folder, isQuick, peersFolder } = bench;
  const rounds = bench.rounds ?? (isQuick ? 1 : ROUNDS);
  const backends = await startStreamBackends({ chunks: isQuick ? 10 : CHUNKS, gapMs: GAP_MS });
  const chunks = isQuick ? 10 : CHUNKS;
  const setting = { folder, backends: backends.ports, maxSockets: MAX_SOCKETS, peersFolder };
  const proxies: RunningProxy[] = [];
  try {
    for (const { name } of bench.contestants) {
      if (name !== 'Reprise without event log') proxies.push(await startProxy(name, setting));
    }
    if (!isQuick) for (const { port } of proxies) await loadStreams({ port, chunks, ...WARM_UP });
    const loads = (isQuick ? QUICK_LOADS : LOADS).map((load) => ({
      ...load,
      results: new Map(proxies.map(({ name }) => [name as string, emptyResult()])),
    }));
    for (const { label, streams, ms, results } of loads) {
      for (let round = 0; round < rounds; round += 1) {
        bench.say(`streams: ${streams} at a time (${label}), round ${round + 1} of ${rounds}`);
        for (const proxy of round % 2 === 0 ? proxies : proxies.toReversed()) {
          const before = cpuUs(proxy.pid);
          const figures = await loadStreams({ port: proxy.port, chunks, streams, ms });
          await sleep(AFTERMATH_MS);
          add(results.get(proxy.name), figures, cpuUs(proxy.pid) - before);
        }
      }
    }
    return loads;
  } finally {
    await Promise.all([backends.stop(), ...proxies.map((proxy) => proxy.stop())]);
  }
}

function emptyResult(): StreamResult {
  return {
    cpuSPer100kChunks: [],
    firstByteP50Ms: [],
    firstByteP99Ms: [],
    delayP50Ms: [],
    delayP99Ms: [],
    completed: 0,
    errors: new Map(),
  };
}

function add(result: StreamResult | undefined, figures: StreamFigures, usedUs: number): void {
  if (result === undefined) return;
  result.cpuSPer100kChunks.push((usedUs / 1e6 / figures.chunks) * 1e5);
  result.firstByteP50Ms.push(quantile(figures.firstByteMs, 0.5));
  result.firstByteP99Ms.push(quantile(figures.firstByteMs, 0.99));
  result.delayP50Ms.push(quantile(figures.delayMs, 0.5));
  result.delayP99Ms.push(quantile(figures.delayMs, 0.99));
  result.completed += figures.completed;
  for (const [problem, count] of figures.errors) {
    result.errors.set(problem, (result.errors.get(problem) ?? 0) + count);
  }
}
