/**
 * Measures what recording adds to a request: two gateways in this process, one with the event log and one without, are
 * loaded in turn for a second each, 64 connections with `wrk` (Debian's package). Both run the same compiled code on the
 * same machine within seconds of each other, so what a shared machine does to one it does to the other.
 *
 *     node bench/recording-cost.ts HOST:PORT[,HOST:PORT...] [ROUNDS]
 *
 * The backends are any that answer POST /v1/chat/completions fast, such as an nginx that returns a fixed answer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gateway, startGateway } from '../src/gateway.ts';
import { loadServingConfig } from '../src/io/config/pem-files.ts';
import { createLiveConfig } from '../src/io/live-config.ts';
import { createLogger } from '../src/io/log.ts';
import { median, quantile } from './compare/statistics.ts';

const CONNECTIONS = 64;
const ROUND_S = 1;
const WARM_UP_S = 3;
/** A kilobyte of JSON by POST; prints how many requests were made, and how many of them failed. */
const SCRIPT = `wrk.method = "POST"
wrk.body = '{"model":"mock","messages":[{"role":"user","content":"' .. string.rep("a", 960) .. '"}]}'
wrk.headers["Content-Type"] = "application/json"
done = function(s) io.write(string.format('DONE %d %d', s.requests, s.errors.status + s.errors.read + s.errors.connect)) end`;

const [backends, rounds = '40'] = process.argv.slice(2);
if (backends === undefined) {
  process.stderr.write('usage: recording-cost.ts HOST:PORT[,HOST:PORT...] [ROUNDS]\n');
  process.exit(64);
}
const folder = mkdtempSync(join(tmpdir(), 'reprise-recording-cost-'));
const script = join(folder, 'post.lua');
writeFileSync(script, SCRIPT);
try {
  await measure(backends.split(','), Number(rounds));
} finally {
  rmSync(folder, { recursive: true });
}
process.exit();

async function measure(addresses: readonly string[], roundCount: number): Promise<void> {
  const without = await start(addresses, false);
  const recording = await start(addresses, join(folder, 'events'));
  for (const gateway of [without, recording]) await costOf(gateway, WARM_UP_S);
  const costs = { without: [] as number[], recording: [] as number[], ratio: [] as number[] };
  for (let round = 0; round < roundCount; round += 1) {
    const first = round % 2 === 0 ? without : recording;
    const one = await costOf(first, ROUND_S);
    const other = await costOf(first === without ? recording : without, ROUND_S);
    const [bare, recorded] = first === without ? [one, other] : [other, one];
    costs.without.push(bare);
    costs.recording.push(recorded);
    costs.ratio.push(recorded / bare - 1);
    say(`${bare.toFixed(1)} us of CPU a request without, ${recorded.toFixed(1)} with the event log`);
  }
  const [bare, recorded] = [median(costs.without), median(costs.recording)];
  say(`median of ${roundCount}: ${bare.toFixed(1)} and ${recorded.toFixed(1)} us`);
  const [low, high] = [quantile(costs.ratio, 0.25), quantile(costs.ratio, 0.75)];
  say(
    `recording adds ${percent(median(costs.ratio))} (half of the rounds: ${percent(low)} to ${percent(high)})`,
  );
  await Promise.all([without.stop(), recording.stop()]);
}

function start(backend: readonly string[], eventLog: string | false): Promise<Gateway> {
  const flags = { port: '0', adminPort: '0', logLevel: 'warn', backend, eventLog };
  const env = { REPRISE_POOL_SIZE: String(CONNECTIONS), REPRISE_HEALTH_PATH: '/' };
  const reload = () => loadServingConfig({ flags, env, isTerminal: false });
  const loaded = reload();
  const { log } = createLogger(loaded.config.logging);
  const config = createLiveConfig({ loaded, reload, log, fallbackBackends: [] });
  return startGateway({ config, log, version: 'bench', onFatal: (error) => log.fatal(error) });
}

/** @returns microseconds of this process's CPU time for each request */
async function costOf({ port }: Gateway, seconds: number): Promise<number> {
  const before = process.cpuUsage();
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  const wrk = spawn('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  wrk.stdout.setEncoding('utf8');
  let output = '';
  wrk.stdout.on('data', (piece: string) => {
    output += piece;
  });
  await once(wrk, 'close');
  const { user, system } = process.cpuUsage(before);
  const [, requests = '0', errors = '?'] = /DONE (\d+) (\d+)/.exec(output) ?? [];
  if (requests === '0' || errors !== '0') throw new Error(`wrk had ${errors} errors in ${requests} requests`);
  return (user + system) / Number(requests);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
