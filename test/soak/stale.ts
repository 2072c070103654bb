/**
 * The run about stale sockets: one backend that closes idle connections at any moment, and many requests that must all be
 * answered nevertheless. There is no second backend to fall back on.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { createRandom } from '../../src/simulation/random.ts';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { steadyPort } from './ports.ts';
import { restOf } from './quiet.ts';
import { replay } from './replay.ts';
import type { StaleCounts } from './stale-backend.ts';
import type { Verdict } from './verdict.ts';
import { digestOf } from './wish.ts';

export type StaleOptions = {
  readonly requests: number;
  readonly seed: number;
  readonly say: (line: string) => void;
};

const CLIENTS = 64;
/** A client waits so long between two requests, so that sockets are idle as often as not. */
const MOST_PAUSE_MS = 20;
const MOST_BODY_BYTES = 4_000;
const ERRORS_TOLD = 20;
/** The pool's own limits stay out of the way; what counts in this run, `retry` and `outlier`, is left as it is by default. */
const SETTINGS = {
  pool: { size: CLIENTS, idleTimeoutMs: 3_000, sweepIntervalMs: 1_000 },
  eventLog: { segmentBytes: 16 * 1024 * 1024, maxBytes: 8 * 1024 ** 3 },
  logging: { level: 'warn', format: 'json' },
};

/** @returns what was wrong; the folder of the run is kept if anything was */
export async function runStale(options: StaleOptions): Promise<Verdict & { readonly counts: StaleCounts }> {
  const { say, seed } = options;
  const folder = mkdtempSync(join(tmpdir(), 'reprise-stale-'));
  const eventLogDir = join(folder, 'events');
  mkdirSync(eventLogDir);
  say(`seed ${seed}, folder ${folder}`);
  const port = await steadyPort();
  const backend = fork(join(import.meta.dirname, 'stale-backend.ts'), [`${port}`], { execArgv: [] });
  try {
    await once(backend, 'message');
    const backends = [{ id: 'closes', host: '127.0.0.1', port }];
    await using daemon = await startDaemonProcess({ folder, eventLogDir, config: { ...SETTINGS, backends } });
    const faults: string[] = [];
    const errors = await askAll(options, daemon);
    await restOf(daemon, faults);
    const { opened = 0, reused = 0 } = (await daemon.backends())[0]?.pool ?? {};
    const { retries } = await daemon.stats();
    const counts = await countsOf(backend);
    say(
      `the backend closed ${counts.idleFin} idle connections by FIN and ${counts.idleReset} by RST, ${counts.late}`,
    );
    say(
      `as a request arrived, ${counts.announced} by word; ${opened} sockets were opened, ${reused} used again`,
    );
    say(`${retries} times a request met a stale socket and was sent again`);
    if ((await daemon.life.stop()) !== 0) faults.push('the gateway did not end with 0 on SIGTERM');
    faults.push(...errors, ...daemon.mistakes(), ...(await replay(eventLogDir, say)));
    for (const fault of faults.slice(0, ERRORS_TOLD)) say(`WRONG: ${fault}`);
    const isClean = faults.length === 0;
    say(`verdict: ${options.requests} requests, ${errors.length} client errors${isClean ? ', clean' : ''}`);
    if (isClean) rmSync(folder, { recursive: true });
    return { isClean, faults, counts };
  } finally {
    backend.kill('SIGKILL');
  }
}

async function countsOf(backend: ChildProcess): Promise<StaleCounts> {
  backend.send('counts');
  const [counts] = await once(backend, 'message');
  return counts;
}

/** @returns one sentence for each request that was not answered rightly */
async function askAll({ requests, seed, say }: StaleOptions, daemon: DaemonProcess): Promise<string[]> {
  const random = createRandom(seed);
  const agent = new http.Agent({ keepAlive: true });
  const errors: string[] = [];
  let begun = 0;
  let done = 0;
  const started = performance.now();
  const seconds = setInterval(() => {
    const fds = daemon.descriptors()?.all ?? '?';
    const elapsed = Math.round((performance.now() - started) / 1000);
    say(
      `${String(elapsed).padStart(4)} s | asked ${begun} answered ${done} errors ${errors.length} | fds ${fds}`,
    );
  }, 1_000);
  const client = async () => {
    while (begun < requests) {
      begun += 1;
      const number = begun;
      const body = Buffer.from(`${number} ${'x'.repeat(random() * MOST_BODY_BYTES)}`);
      const error = await post(`${daemon.url}/v1/chat/completions`, agent, body);
      done += 1;
      if (error !== undefined) errors.push(`request ${number}: ${error}`);
      await pass(random() * MOST_PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  clearInterval(seconds);
  agent.destroy();
  return errors;
}

/** @returns what is wrong with the answer, which is the digest of what was sent */
function post(url: string, agent: http.Agent, body: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'text/plain', 'Content-Length': body.length };
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => {
        const isRight = response.statusCode === 200 && text === digestOf(body);
        resolve(isRight ? undefined : `${response.statusCode} ${text}`);
      });
    });
    request.on('error', (error) => resolve(error.message));
    request.end(body);
  });
}
