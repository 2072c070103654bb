/** The gateway of a fault run: `reprise serve` as a process of its own, on ports it comes back to after it was killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { GAUGE_FILE, type Gauge } from './gauge.ts';
import { mistakesIn } from './mistakes.ts';
import { steadyPort } from './ports.ts';
import { bytesIn, type Descriptors, descriptorsOf, rssOf } from './process-figures.ts';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../..');
const START_WITHIN_MS = 20_000;
const GAUGE_WITHIN_MS = 5_000;

export type DaemonProcess = AsyncDisposable &
  AdminClient & {
    readonly url: string;
    readonly isUp: boolean;
    /** Whether it ended without having been told to. */
    readonly hasDied: boolean;
    /** How often it was started. */
    readonly starts: number;
    readonly eventLogDir: string;
    /** Replaces the config file, by a rename, so that it is never half there. */
    configure(config: object): void;
    hangUp(): void;
    /** Collects garbage and tells what is left. */
    gauge(): Promise<Gauge>;
    descriptors(): Descriptors | undefined;
    rssBytes(): number | undefined;
    logBytes(): number;
    /** SIGKILL. */
    kill(): Promise<void>;
    start(): Promise<void>;
    /** SIGTERM; resolves with the exit code. */
    stop(): Promise<number | null>;
    /** Lines of its own log that tell of a mistake: errors other than those that are expected. */
    mistakes(): string[];
  };

export type DaemonOptions = {
  readonly folder: string;
  readonly eventLogDir: string;
  readonly config: object;
  /** How many file descriptors it may have; as many as this process, if not given. */
  readonly descriptorLimit?: number;
};

/** Starts the gateway and resolves when it serves. */
export async function startDaemonProcess(options: DaemonOptions): Promise<DaemonProcess> {
  const { folder, eventLogDir } = options;
  const [port, adminPort] = [await steadyPort(), await steadyPort()];
  const admin = createAdminClient(`http://127.0.0.1:${adminPort}`);
  const files = fileNames(folder);
  const configure = (config: object) => {
    writeFileSync(`${files.config}.new`, JSON.stringify(config, null, 2));
    renameSync(`${files.config}.new`, files.config);
  };
  configure(options.config);
  const ports = ['--port', `${port}`, '--admin-port', `${adminPort}`];
  const args = ['serve', '--config', files.config, ...ports, '--event-log', eventLogDir];
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(null);
  let isUp = false;
  let hasDied = false;
  let isToEnd = false;
  let readings = 0;
  let starts = 0;
  const start = async () => {
    child = spawnLimited(args, options.descriptorLimit, files);
    exited = new Promise((resolve) => child?.once('exit', resolve));
    void exited.then(() => {
      isUp = false;
      hasDied = !isToEnd;
    });
    isToEnd = false;
    readings = 0;
    starts += 1;
    await until('the gateway serves', START_WITHIN_MS, admin.isHealthy);
    isUp = true;
  };
  const kill = async () => {
    isUp = false;
    isToEnd = true;
    child?.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    ...admin,
    url: `http://127.0.0.1:${port}`,
    get isUp() {
      return isUp;
    },
    eventLogDir,
    configure,
    // While it starts the signal would end it.
    hangUp: () => void (isUp && child?.kill('SIGHUP')),
    get hasDied() {
      return hasDied;
    },
    get starts() {
      return starts;
    },
    async gauge() {
      readings += 1;
      child?.kill('SIGUSR2');
      const what = 'the gateway has written down its figures';
      return until(what, GAUGE_WITHIN_MS, () => readGauge(files.gauge, readings));
    },
    descriptors: () => descriptorsOf(child?.pid),
    rssBytes: () => rssOf(child?.pid),
    logBytes: () => bytesIn(eventLogDir),
    kill,
    start,
    stop() {
      isToEnd = true;
      child?.kill('SIGTERM');
      return exited;
    },
    mistakes: () => mistakesIn(files.log),
    [Symbol.asyncDispose]: kill,
  };
}

type Files = { readonly config: string; readonly gauge: string; readonly log: string };

function fileNames(folder: string): Files {
  return {
    config: join(folder, 'config.json'),
    gauge: join(folder, 'gauge.json'),
    log: join(folder, 'daemon.log'),
  };
}

/** The shell lowers the limit and then becomes the gateway. */
function spawnLimited(
  args: readonly string[],
  descriptorLimit: number | undefined,
  files: Files,
): ChildProcess {
  const log = openSync(files.log, 'a');
  const limit = descriptorLimit === undefined ? '' : `ulimit -n ${descriptorLimit} && `;
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, join(ROOT, 'bin/reprise'), ...args], {
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'gauge.ts')).href}`,
      [GAUGE_FILE]: files.gauge,
    },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

function readGauge(path: string, reading: number): Gauge | undefined {
  try {
    const gauge = JSON.parse(readFileSync(path, 'utf8')) as Gauge;
    return gauge.reading === reading ? gauge : undefined;
  } catch {
    return undefined;
  }
}
