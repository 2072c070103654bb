/**
 * Measures what recording adds to a request: a gateway with the event log and one without, each a process of its own, are
 * loaded in turn by 64 connections. Two processes of the very same program differ by 7 % and more for as long as they live, so
 * pairs are started anew again and again, and each counts once. Linux only.
 *
 *     node bench/recording-cost.ts [PAIRS]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nginxBackends, nginxVersion } from './compare/nginx.ts';
import { start } from './compare/processes.ts';
import { startProxy } from './compare/proxies.ts';
import { createRequestLoad } from './compare/request-load.ts';
import { CONNECTIONS, costOf } from './compare/requests.ts';
import { mean, median, quantile, standardError } from './compare/statistics.ts';

const BACKENDS = 3;
const WARM_UP_REQUESTS = 20_000;
const REQUESTS = 10_000;
const TURNS = 3;

const pairs = Number(process.argv[2] ?? 12);
if (!Number.isInteger(pairs) || pairs < 1) {
  process.stderr.write('usage: recording-cost.ts [PAIRS]\n');
  process.exit(64);
}
if (nginxVersion() === undefined) {
  process.stderr.write(
    'recording-cost: nginx answers the requests, and is not in PATH: apt-get install nginx-light\n',
  );
  process.exit(69);
}
const folder = mkdtempSync(join(tmpdir(), 'reprise-recording-cost-'));
try {
  await measure();
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(): Promise<void> {
  const { command, ports } = await nginxBackends(folder, BACKENDS);
  const backends = await start(command);
  const costs = { without: [] as number[], recording: [] as number[] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const { without, recording } = await costOfPair(ports, join(folder, String(pair)));
    costs.without.push(without);
    costs.recording.push(recording);
    say(`${without.toFixed(1)} us of CPU a request without, ${recording.toFixed(1)} with the event log`);
  }
  await backends.stop();
  const added = costs.recording.map((cost, pair) => cost / (costs.without[pair] ?? cost) - 1);
  const [low, high] = [quantile(added, 0.25), quantile(added, 0.75)];
  say(
    `means of ${pairs} pairs: ${mean(costs.without).toFixed(1)} and ${mean(costs.recording).toFixed(1)} us`,
  );
  const addedUs = costs.recording.map((cost, pair) => cost - (costs.without[pair] ?? cost));
  const [share, error] = [mean(addedUs), standardError(addedUs)].map((us) => us / mean(costs.without));
  say(`recording adds ${percent(share)} in the mean, with a standard error of ${percent(error)}`);
  say(`by pair: ${percent(median(added))} (half of the pairs: ${percent(low)} to ${percent(high)})`);
}

/** @returns microseconds of CPU time for a request, of two gateways that live at the same time */
async function costOfPair(
  backends: readonly number[],
  log: string,
): Promise<{ without: number; recording: number }> {
  mkdirSync(log);
  const setting = { folder: log, backends, maxSockets: CONNECTIONS, peersFolder: '' };
  const gateways = [];
  for (const name of ['Reprise without event log', 'Reprise'] as const) {
    const gateway = await startProxy(name, setting);
    const load = createRequestLoad(gateway.port, CONNECTIONS);
    await load.slice(WARM_UP_REQUESTS);
    gateways.push({ gateway, load, costs: [] as number[] });
  }
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const each of turn % 2 === 0 ? gateways : gateways.toReversed()) {
      each.costs.push(await costOf(each.gateway, each.load, REQUESTS));
    }
  }
  for (const { gateway, load } of gateways) {
    load.close();
    await gateway.stop();
  }
  const [without = 0, recording = 0] = gateways.map(({ costs }) => mean(costs));
  return { without, recording };
}

function percent(share = Number.NaN): string {
  return `${(100 * share).toFixed(1)} %`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
