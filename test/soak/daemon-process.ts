/** The gateway of a fault run: `reprise serve` as a process of its own, on ports it comes back to after it was killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bareEnvironment } from '../support/environment.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { GAUGE_FILE, type Gauge } from './gauge.ts';
import { createLife, type Life } from './life.ts';
import { mistakesIn } from './mistakes.ts';
import { steadyPort } from './ports.ts';
import { bytesIn, type Descriptors, descriptorsOf, rssOf } from './process-figures.ts';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '../..');
const GAUGE_WITHIN_MS = 20_000;

export type DaemonProcess = AsyncDisposable &
  AdminClient & {
    readonly url: string;
    readonly life: Life;
    readonly eventLogDir: string;
    /** Replaces the config file, by a rename, so that it is never half there. */
    configure(config: object): void;
    hangUp(): void;
    /** Collects garbage and tells what is left. */
    gauge(): Promise<Gauge>;
    descriptors(): Descriptors | undefined;
    rssBytes(): number | undefined;
    logBytes(): number;
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
  let readings = 0;
  const life = createLife(() => {
    readings = 0;
    rmSync(files.gauge, { force: true });
    return spawnLimited(args, options.descriptorLimit, files);
  }, admin.isHealthy);
  await life.start();
  return {
    ...admin,
    life,
    url: `http://127.0.0.1:${port}`,
    eventLogDir,
    configure,
    // While it starts the signal would end it.
    hangUp: () => void (life.isUp && life.signal('SIGHUP')),
    async gauge() {
      readings += 1;
      life.signal('SIGUSR2');
      const what = 'the gateway has written down its figures';
      return until(what, GAUGE_WITHIN_MS, () => readGauge(files.gauge, readings));
    },
    descriptors: () => descriptorsOf(life.pid),
    rssBytes: () => rssOf(life.pid),
    logBytes: () => bytesIn(eventLogDir),
    mistakes: () => mistakesIn(files.log),
    [Symbol.asyncDispose]: life.kill,
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
      ...bareEnvironment(),
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
