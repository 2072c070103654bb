/** A whole gateway in the test's process, on free ports, with its entries at hand to be awaited. */

import type { Decision, Entry, Fact } from '../../src/actors/events.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { loadConfig } from '../../src/io/config/load.ts';
import { type ServingConfig, withPemFiles } from '../../src/io/config/pem-files.ts';
import { ConfigError } from '../../src/io/config/problems.ts';
import type { BackendConfig, Config, EventLogConfig } from '../../src/io/config/schema.ts';
import { type FilePort, realFiles } from '../../src/io/event-log/files.ts';
import { createLiveConfig } from '../../src/io/live-config.ts';
import { createLogger, type Logger } from '../../src/io/log.ts';
import { PATIENCE_MS } from './patience.ts';

type Section<Key extends keyof Config> = Partial<Omit<Config[Key], 'queue'>>;

export type TestConfig = {
  backends?: readonly TestBackend[];
  server?: Section<'server'>;
  admin?: Section<'admin'>;
  health?: Section<'health'>;
  pool?: Section<'pool'>;
  queue?: Partial<Config['pool']['queue']>;
  upstream?: Section<'upstream'>;
  retry?: Section<'retry'>;
  outlier?: Section<'outlier'>;
  /** Nothing is recorded unless a folder is named. */
  eventLog?: Partial<EventLogConfig>;
};

/** A mock, or anything else that listens. */
export type TestBackend = {
  readonly protocol?: 'http' | 'https';
  readonly port: number;
  readonly host?: string;
  readonly name?: string;
  readonly weight?: number;
};

export type TestGateway = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly gateway: Gateway;
  /** All entries so far, the first excepted, which comes before anybody can watch. */
  readonly entries: readonly Entry[];
  /** Resolves with the first entry, past or to come, that fits; rejects if none comes. */
  entry(fits: (entry: Entry) => boolean): Promise<Entry>;
  fact<Type extends Fact['type']>(type: Type, count?: number): Promise<Entry>;
  decision<Type extends Decision['type']>(type: Type, count?: number): Promise<Entry>;
  /** Puts another config in force, as a reload does. */
  reconfigure(config: TestConfig): ReturnType<Gateway['reload']>;
  /** Makes the next reload fail with these problems. */
  breakConfig(): void;
};

/** What a test may put in place of the real thing. */
export type TestEnds = {
  readonly log?: Logger;
  readonly files?: FilePort;
  readonly hasStatelyBridge?: boolean;
};

/** Probes stay out of the way of a test, unless it asks for them. */
const PROBE_INTERVAL_MS = 60_000;
const SHUTDOWN_TIMEOUT_MS = 2_000;

export async function startTestGateway(
  config: TestConfig,
  {
    log = createLogger({ level: 'silent', format: 'json' }).log,
    files = realFiles,
    hasStatelyBridge = false,
  }: TestEnds = {},
): Promise<TestGateway> {
  let wanted: ServingConfig | ConfigError = load(config);
  const reload = () => {
    if (wanted instanceof ConfigError) throw wanted;
    return wanted;
  };
  const live = createLiveConfig({ loaded: reload(), reload, log, fallbackBackends: [] });
  const gateway = await startGateway({
    config: live,
    log,
    version: 'test',
    files,
    hasStatelyBridge,
    onFatal(error) {
      throw error;
    },
  });
  const entries: Entry[] = [];
  const watchers = new Set<(entry: Entry) => void>();
  gateway.entries$.subscribe((entry) => {
    entries.push(entry);
    for (const watcher of watchers) watcher(entry);
  });
  const entry = (fits: (entry: Entry) => boolean) => awaitEntry(entries, watchers, fits);
  let stopped = false;
  return {
    url: `http://127.0.0.1:${gateway.port}`,
    port: gateway.port,
    adminUrl: `http://127.0.0.1:${gateway.adminPort}`,
    gateway: {
      ...gateway,
      stop() {
        stopped = true;
        return gateway.stop();
      },
    },
    entries,
    entry,
    fact: (type, count = 1) => entry(nth(count, ({ fact }) => fact.type === type)),
    decision: (type, count = 1) =>
      entry(nth(count, ({ decisions }) => decisions.some((each) => each.type === type))),
    reconfigure(next) {
      wanted = load(next);
      return gateway.reload();
    },
    breakConfig() {
      wanted = new ConfigError([
        {
          key: 'health.fall',
          value: 0,
          origin: { from: 'file', name: 'test.json' },
          expected: 'must be 1 or more',
        },
      ]);
    },
    async [Symbol.asyncDispose]() {
      if (!stopped) await gateway.stop();
    },
  };
}

/** What speaks HTTP/1.1 to backends where a test does not say. */
let http1: Config['upstream']['http1'] = 'builtin';

/** For all gateways that this process starts from now on. */
export function speakToBackendsBy(what: Config['upstream']['http1']): void {
  http1 = what;
}

function load(changes: TestConfig): ServingConfig {
  const { config } = loadConfig({ flags: { port: '0', adminPort: '0' }, env: {}, isTerminal: false });
  const { backends = [], queue, ...sections } = changes;
  return withPemFiles({
    origins: new Map(),
    config: {
      ...config,
      backends: backends.map(toBackend),
      logging: { level: 'silent', format: 'json' },
      admin: { ...config.admin, ...sections.admin },
      server: { ...config.server, shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS, ...sections.server },
      health: { ...config.health, intervalMs: PROBE_INTERVAL_MS, ...sections.health },
      pool: { ...config.pool, ...sections.pool, queue: { ...config.pool.queue, ...queue } },
      upstream: { ...config.upstream, http1, ...sections.upstream },
      retry: { ...config.retry, ...sections.retry },
      outlier: { ...config.outlier, ...sections.outlier },
      eventLog: {
        ...config.eventLog,
        enabled: sections.eventLog?.dir !== undefined,
        ...sections.eventLog,
      },
    },
  });
}

function toBackend(backend: TestBackend): BackendConfig {
  const { protocol = 'http', host = '127.0.0.1', port, name, weight = 1 } = backend;
  return { id: name ?? `${host}:${port}`, protocol, host, port, weight };
}

function nth(count: number, fits: (entry: Entry) => boolean): (entry: Entry) => boolean {
  let seen = 0;
  return (entry) => {
    if (fits(entry)) seen += 1;
    return seen === count && fits(entry);
  };
}

async function awaitEntry(
  entries: readonly Entry[],
  watchers: Set<(entry: Entry) => void>,
  fits: (entry: Entry) => boolean,
): Promise<Entry> {
  for (const entry of entries) if (fits(entry)) return entry;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      watchers.delete(watcher);
      reject(
        new Error(
          `no such entry came within ${PATIENCE_MS / 1000} s; the last were ${JSON.stringify(entries.slice(-5))}`,
        ),
      );
    }, PATIENCE_MS);
    const watcher = (entry: Entry) => {
      if (!fits(entry)) return;
      clearTimeout(timer);
      watchers.delete(watcher);
      resolve(entry);
    };
    watchers.add(watcher);
  });
}
