/** The daemon: a gateway with a log, signals, and the demo backends when it has no others. */
import { setFlagsFromString } from 'node:v8';
import { type Demo, startDemo } from './demo.ts';
import { type Gateway, reportWatchers, startGateway } from './gateway.ts';
import type { ServingConfig } from './io/config/pem-files.ts';
import { createLiveConfig } from './io/live-config.ts';
import { createLogger, type Log, type Logger } from './io/log.ts';
import { type InspectMode, welcome } from './io/welcome.ts';

/** npm passes a signal on that the terminal has sent to the daemon already; both count as one. */
const SAME_SIGNAL_MS = 500;
const EXIT_STOPPED_AT_ONCE = 1;
/** EX_SOFTWARE of sysexits.h: an error of our own. */
const EXIT_OWN_ERROR = 70;

export type ServeOptions = {
  readonly loaded: ServingConfig;
  /** Reads the config again; throws a `ConfigError` if it is not valid. */
  readonly reload: () => ServingConfig;
  readonly version: string;
  /** What `--inspect` asks for. */
  readonly inspect: InspectMode | undefined;
};

/**
 * Serves until SIGTERM or SIGINT, then ends the process.
 *
 * @throws Error with a `code` of the system if it cannot listen
 */
export async function serve({ loaded, reload, version, inspect }: ServeOptions): Promise<void> {
  keepEntriesYoung();
  const { log, flush } = createLogger(loaded.config.logging);
  const fail = (error: unknown) => {
    log.fatal(error, 'a mistake of our own; stopping');
    void flush().finally(() => process.exit(EXIT_OWN_ERROR));
  };
  process.on('uncaughtException', fail);
  reportWatchers((error) => log.error(error, 'a watcher of the entries failed'));
  const demo = loaded.config.backends.length === 0 ? await startDemo() : undefined;
  const config = createLiveConfig({ loaded, reload, log, fallbackBackends: demo?.backends ?? [] });
  const hasStatelyBridge = inspect === 'stately';
  const gateway = await startGateway({ config, log, version, hasStatelyBridge, onFatal: fail }).catch(
    async (error: unknown) => {
      await demo?.stop();
      throw error;
    },
  );
  // Before the first word: whoever reads that the gateway serves may send a signal.
  process.on('SIGHUP', () => void gateway.reload());
  const stopped = stopSignal(log, flush);
  const { port, adminPort } = gateway;
  welcome(log, { config: config.current(), port, adminPort, version, isDemo: demo !== undefined, inspect });
  await stopped;
  await shutDown(gateway, demo, log);
  await flush();
  process.exit(0);
}

/**
 * Entries of the event log live until a few hundred of them become lines, which is just long enough for V8 to put some of what
 * they are made of into the old generation from the start. There each keeps alive what it refers to, though it is garbage
 * itself, until the next full collection. That befell one process in four, at random, and its young collections took three times
 * as long.
 */
function keepEntriesYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
function stopSignal(log: Logger, flush: Log['flush']): Promise<void> {
  return new Promise((resolve) => {
    let since: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      if (since === undefined) {
        since = performance.now();
        log.info(`${signal}: stopping once the requests in flight are done; a second signal stops at once`);
        resolve();
      } else if (performance.now() - since > SAME_SIGNAL_MS) {
        log.warn(`${signal}: stopping at once`);
        void flush().finally(() => process.exit(EXIT_STOPPED_AT_ONCE));
      }
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

async function shutDown(gateway: Gateway, demo: Demo | undefined, log: Logger): Promise<void> {
  const cut = await gateway.stop();
  await demo?.stop();
  if (cut > 0)
    log.warn({ cut }, `stopped; ${cut} requests took longer than server.shutdownTimeoutMs and were cut off`);
  else log.info('stopped; every request was finished');
}
