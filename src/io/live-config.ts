/**
 * The config as it is in force, and its reload: a bad one is reported with all its problems and changes
 * nothing; keys that need a restart keep the value they had.
 */
import type { CoreConfig } from '../actors/events.ts';
import type { ReloadOutcome } from '../streams/ports.ts';
import { changedKeys, restartKeys } from './config/describe.ts';
import type { PemFiles, ServingConfig } from './config/pem-files.ts';
import { ConfigError, formatOrigin, preview } from './config/problems.ts';
import type { BackendConfig, Config } from './config/schema.ts';
import type { Logger } from './log.ts';

export type LiveConfig = {
  current(): Config;
  /** The keys and certificates that go with it. */
  pem(): PemFiles;
  /** Reads the config anew; never throws. */
  load(): ReloadOutcome;
};

export type LiveConfigOptions = {
  readonly loaded: ServingConfig;
  /** Reads and checks the config as at the start; throws a `ConfigError` if it is not valid. */
  readonly reload: () => ServingConfig;
  readonly log: Logger;
  /** Used as long as no backend is configured. */
  readonly fallbackBackends: readonly BackendConfig[];
};

export function createLiveConfig({ loaded, reload, log, fallbackBackends }: LiveConfigOptions): LiveConfig {
  const withFallback = (config: Config): Config =>
    config.backends.length > 0 ? config : { ...config, backends: [...fallbackBackends] };
  const started = withFallback(loaded.config);
  let config = started;
  let { pem } = loaded;
  const warn = () => {
    for (const warning of pem.warnings) log.warn(warning);
  };
  warn();
  return {
    current: () => config,
    pem: () => pem,
    load() {
      try {
        const read = reload();
        const next = withFallback(read.config);
        const changed = changedKeys(config, next);
        // What still waits for a restart is said at each reload, until the file is as it was at the start.
        const needRestart = changedKeys(started, next).filter((key) => restartKeys.has(key));
        if ((started.server.tls.length === 0) !== (next.server.tls.length === 0))
          needRestart.push('server.tls');
        if (needRestart.length > 0) {
          log.warn(
            { needRestart },
            `these keys differ from those at the start and count after a restart: ${needRestart.join(', ')}`,
          );
        }
        config = next;
        // Without any, those that were are served until a restart makes it plain HTTP.
        pem = next.server.tls.length > 0 ? read.pem : { ...read.pem, server: pem.server };
        warn();
        log.level = next.logging.level;
        return { ok: true, config: coreConfigOf(next), changed, needRestart };
      } catch (error) {
        return refusal(error, log);
      }
    },
  };
}

function refusal(error: unknown, log: Logger): ReloadOutcome {
  if (!(error instanceof ConfigError)) {
    // Not a bad config but a mistake of ours; the gateway goes on with what it has.
    log.error(error, 'the config could not be read, the old one stays in force');
    return {
      ok: false,
      problems: [{ key: 'config', value: '', origin: 'internal', expected: String(error) }],
    };
  }
  const problems = error.problems.map(({ key, value, origin, expected }) => ({
    key,
    value: value === undefined ? '' : preview(value),
    origin: formatOrigin(origin),
    expected,
  }));
  log.error({ problems }, `the config was not reloaded, the old one stays in force: ${error.message}`);
  return { ok: false, problems };
}

/** The part of the config that decisions depend on. */
export function coreConfigOf({ backends, health, pool, retry, outlier }: Config): CoreConfig {
  return {
    backends,
    health: {
      fall: health.fall,
      rise: health.rise,
      initial: health.initial,
      slowStartMs: health.slowStartMs,
    },
    pool: {
      size: pool.size,
      idleTimeoutMs: pool.idleTimeoutMs,
      maxLifetimeMs: pool.maxLifetimeMs,
      queue: pool.queue,
    },
    retry: {
      attempts: retry.attempts,
      on: retry.on,
      budgetShare: retry.budgetShare,
      budgetWindowMs: retry.budgetWindowMs,
    },
    outlier,
  };
}

/** @returns a function that gives what `make` derives from the config in force, derived anew only when the config changes */
export function perConfig<Result>(current: () => Config, make: (config: Config) => Result): () => Result {
  let from = current();
  let made = make(from);
  return () => {
    if (from !== current()) {
      from = current();
      made = make(from);
    }
    return made;
  };
}
