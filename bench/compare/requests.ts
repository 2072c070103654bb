/**
 * CPU time per request. All proxies are kept up and loaded in turn, each with a slice that takes a tenth of a second or so,
 * and compared within the round: what a shared machine does to one, it does to the next. Runs of seconds are not alike
 * enough for that. A slice is a number of requests and not a time, so that a busy machine makes it longer and no smaller.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startBackends } from './backends.ts';
import type { Bench } from './bench-run.ts';
import { type RunningProxy, startProxy } from './proxies.ts';
import { createRequestLoad, type RequestLoad } from './request-load.ts';
import { cpuUs } from './usage.ts';

/** Microseconds of CPU time per request, by proxy and round. */
export type RequestFigures = {
  readonly backend: string;
  readonly rounds: number;
  readonly cpuUs: Map<string, number[]>;
};

export const CONNECTIONS = 64;
const SLICE = 1_000;
/** What a proxy puts off is counted too: Reprise collects the lines of its event log for 50 ms before it writes them. */
const AFTERMATH_MS = 80;
const WARM_UP_SLICE = 4_000;
const WARM_UP_ROUNDS = 10;
const ROUNDS = 100;
const QUICK_ROUNDS = 3;

/** Measures every contestant of the run. */
export async function measureRequests(bench: Bench): Promise<RequestFigures> {
  const { contestants, folder, isQuick, peersFolder } = bench;
  const backends = await startBackends(bench);
  const setting = { folder, backends: backends.ports, maxSockets: CONNECTIONS, peersFolder };
  const proxies: { proxy: RunningProxy; load: RequestLoad; figures: number[] }[] = [];
  try {
    for (const { name } of contestants) {
      const proxy = await startProxy(name, setting);
      proxies.push({ proxy, load: createRequestLoad(proxy.port, CONNECTIONS), figures: [] });
    }
    const rounds = bench.rounds ?? (isQuick ? QUICK_ROUNDS : ROUNDS);
    const warmUpRounds = isQuick ? 0 : WARM_UP_ROUNDS;
    for (let round = -warmUpRounds; round < rounds; round += 1) {
      // There and back again, so that none always follows the same other.
      for (const { proxy, load, figures } of round % 2 === 0 ? proxies : proxies.toReversed()) {
        const cost = await costOf(proxy, load, round < 0 ? WARM_UP_SLICE : SLICE);
        if (round >= 0) figures.push(cost);
      }
      if (round === 0) bench.say(`requests: warm, ${rounds} rounds of ${proxies.length} proxies`);
    }
    const cpu = new Map(proxies.map(({ proxy, figures }) => [proxy.name, figures]));
    return { backend: backends.name, rounds, cpuUs: cpu };
  } finally {
    for (const { load } of proxies) load.close();
    await Promise.all([backends.stop(), ...proxies.map(({ proxy }) => proxy.stop())]);
  }
}

/** @returns microseconds of CPU time for each request of one slice */
export async function costOf(
  { name, pid }: RunningProxy,
  load: RequestLoad,
  requests: number,
): Promise<number> {
  const before = cpuUs(pid);
  try {
    await load.slice(requests);
  } catch (error) {
    throw new Error(`${name} failed under the load of requests: ${(error as Error).message}`);
  }
  await sleep(AFTERMATH_MS);
  return (cpuUs(pid) - before) / requests;
}
