/**
 * Measures what one viewer of the inspector costs the gateway at a steady rate of requests: its CPU time, with and without
 * the viewer in turn, read from `/proc`. Linux only.
 *
 *     node bench/inspect-cost.ts [BACKENDS] [ROUNDS]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'undici';
import WebSocket from 'ws';

const REQUESTS_PER_S = 2_000;
const ROUND_MS = 5_000;
/** The unit of CPU times in `/proc`, on every Linux that Node runs on. */
const TICKS_PER_S = 100;
const CONNECTIONS = 32;
const TICK_MS = 5;
const ROOT = join(import.meta.dirname, '..');
const BODY = JSON.stringify({ model: 'mock', max_tokens: 2, messages: [{ role: 'user', content: 'hello' }] });

const [backends = '3', rounds = '4'] = process.argv.slice(2);
const children: ChildProcess[] = [];
try {
  await measure(Number(backends), Number(rounds));
} finally {
  for (const child of children) child.kill();
}

async function measure(backendCount: number, roundCount: number): Promise<void> {
  // One mock on all of 127.0.0.0/8, so that each backend has an address of its own.
  const mockFlags = ['--host', '0.0.0.0', '--port', '0', '--keep-alive-timeout-ms', '0'];
  const mock = await start(['mock/cli.ts', ...mockFlags], /http:\/\/\S+:(\d+)/);
  const addresses = Array.from({ length: backendCount }, (_, index) => `127.0.0.${index + 1}:${mock.found}`);
  const flags = addresses.map((address) => ['--backend', address]);
  const own = ['src/cli.ts', 'serve', '--port', '0', '--admin-port', '0', '--no-event-log'];
  const gateway = await start([...own, ...flags.flat()], /"url":"([^"]+)","adminUrl":"[^"]+"/);
  const adminUrl = /"adminUrl":"([^"]+)"/.exec(gateway.output())?.[1] ?? '';
  const inspectorUrl = `${adminUrl.replace('http', 'ws')}/inspector/ws`;
  const clients = Array.from({ length: CONNECTIONS }, () => new Client(gateway.found));
  await drive(clients, ROUND_MS);
  const shares = { without: [] as number[], with: [] as number[] };
  for (let round = 0; round < roundCount; round++) {
    shares.without.push(await cpuShare(gateway.pid, clients));
    const viewer = new WebSocket(inspectorUrl);
    const seen = { messages: 0, bytes: 0 };
    viewer.on('message', (data: Buffer) => {
      seen.messages += 1;
      seen.bytes += data.length;
    });
    await once(viewer, 'open');
    shares.with.push(await cpuShare(gateway.pid, clients));
    viewer.close();
    await once(viewer, 'close');
    const [off, on] = [shares.without.at(-1) ?? 0, shares.with.at(-1) ?? 0];
    const told = `${seen.messages} messages, ${Math.round(seen.bytes / 1000)} kB`;
    say(`round ${round + 1}: ${percent(off)} of a core without, ${percent(on)} with a viewer (${told})`);
  }
  const [without, watched] = [median(shares.without), median(shares.with)];
  say(`${backendCount} backends, ${REQUESTS_PER_S} requests/s, medians of ${roundCount} rounds of 5 s:`);
  say(
    `${percent(without)} of a core without, ${percent(watched)} with a viewer: ${percent(watched - without)} more`,
  );
  await Promise.all(clients.map((client) => client.close()));
}

/** Starts a script of the project and waits until its output fits. */
async function start(args: readonly string[], pattern: RegExp) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let output = '';
  for await (const piece of child.stdout.iterator({ destroyOnReturn: false })) {
    output += piece;
    const found = pattern.exec(output)?.[1];
    if (found !== undefined) {
      child.stdout.resume();
      return { found, pid: child.pid ?? 0, output: () => output };
    }
  }
  throw new Error(`${args[0]} ended before it was ready: ${output}`);
}

/** @returns the part of one core that the process used while requests came */
async function cpuShare(pid: number, clients: readonly Client[]): Promise<number> {
  const before = cpuSeconds(pid);
  const startedAt = performance.now();
  await drive(clients, ROUND_MS);
  return (cpuSeconds(pid) - before) / ((performance.now() - startedAt) / 1000);
}

function cpuSeconds(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  // utime and stime, the 14th and 15th of proc(5); what stands before the 3rd is cut off.
  return (Number(afterName[11]) + Number(afterName[12])) / TICKS_PER_S;
}

/** Asks at the steady rate for this long. */
async function drive(clients: readonly Client[], ms: number): Promise<void> {
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  let asked = 0;
  while (performance.now() - startedAt < ms) {
    const due = ((performance.now() - startedAt) / 1000) * REQUESTS_PER_S;
    for (; asked < due; asked++) {
      const client = clients[asked % clients.length];
      if (client === undefined) continue;
      const answer = ask(client).finally(() => underWay.delete(answer));
      underWay.add(answer);
    }
    await setTimeout(TICK_MS);
  }
  await Promise.all(underWay);
}

async function ask(client: Client): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const { statusCode, body } = await client.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers,
    body: BODY,
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`the gateway answered ${statusCode}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
