/**
 * One gateway, put together: the core, the streams that carry facts to it and decisions from it, and the ends
 * in `io`. Tests and the daemon start it the same way.
 */
import { type Observable, Subject, takeUntil } from 'rxjs';
import { type Balancer, createBalancer } from './actors/balancer.ts';
import type { Entry, Fact } from './actors/events.ts';
import { createAdmin } from './io/admin.ts';
import { createClock } from './io/clock.ts';
import type { Config } from './io/config/schema.ts';
import { writeJournal } from './io/journal.ts';
import { finishInFlight, listenAll, portOf } from './io/listening.ts';
import { coreConfigOf, type LiveConfig } from './io/live-config.ts';
import type { Logger } from './io/log.ts';
import { createProber } from './io/prober.ts';
import { createClientListener } from './io/server.ts';
import { createSocketRegistry } from './io/sockets.ts';
import { createUpstream } from './io/upstream.ts';
import { type ReloadTrigger, reloadFacts } from './streams/config.ts';
import { routeDecisions } from './streams/decisions.ts';
import { mergeFacts } from './streams/facts.ts';
import type { ReloadOutcome } from './streams/ports.ts';
import { probeFacts } from './streams/probes.ts';
import { createRequestDesk } from './streams/requests.ts';
import { queueDeadlines, sweepTicks } from './streams/timers.ts';

export type GatewayOptions = {
  readonly config: LiveConfig;
  readonly log: Logger;
  readonly version: string;
};

export type Gateway = {
  /** The ports the listeners really got, where the config says 0. */
  readonly port: number;
  readonly adminPort: number;
  readonly balancer: Balancer;
  /** Every entry as it is made, from the first after the start on. */
  readonly entries$: Observable<Entry>;
  reload(): Promise<ReloadOutcome>;
  /**
   * Takes no new connection, finishes what is in flight for as long as `server.shutdownTimeoutMs` says, and
   * closes everything.
   *
   * @returns how many requests were cut off because their time was over
   */
  stop(): Promise<number>;
};

/**
 * Listens and serves.
 *
 * @throws the error of `listen` (such as EADDRINUSE), after closing whatever was open
 */
export async function startGateway({ config, log, version }: GatewayOptions): Promise<Gateway> {
  const { current } = config;
  const balancer = createBalancer();
  const desk = createRequestDesk();
  const sockets = createSocketRegistry(() => current().upstream.connectTimeoutMs);
  const entries$ = new Subject<Entry>();
  const control$ = new Subject<Fact>();
  const reloads$ = new Subject<ReloadTrigger>();
  const reload = () => new Promise<ReloadOutcome>((done) => reloads$.next({ done }));

  const listener = createClientListener({
    desk,
    upstream: createUpstream(sockets, () => current().upstream),
    settings: () => serverSettings(current()),
    version,
  });
  const admin = createAdmin({
    host: current().admin.host,
    backends: balancer.backends,
    drain: (backend) => control$.next({ type: 'operator.drained', backend }),
    restore: (backend) => control$.next({ type: 'operator.restored', backend }),
    reload,
  });
  // Listening comes first: a gateway whose port is taken must not begin to probe.
  await listenAll([
    [admin, current().admin],
    [listener.server, current().server],
  ]);

  routeDecisions(entries$, {
    sockets,
    exchangeOf: desk.exchangeOf,
    settingsOf: (backend) => balancer.core.backends.get(backend)?.settings,
  });
  const journal = writeJournal(entries$, log);
  const streamSettings = () => ({
    probeIntervalMs: current().health.intervalMs,
    sweepIntervalMs: current().pool.sweepIntervalMs,
  });
  const stopping$ = new Subject<void>();
  const prober = createProber(() => current().health);
  const running = mergeFacts(
    [
      desk.facts$,
      sockets.facts$,
      queueDeadlines(entries$),
      probeFacts(entries$, { port: prober, settings: streamSettings, random: Math.random }).pipe(
        takeUntil(stopping$),
      ),
      sweepTicks(streamSettings).pipe(takeUntil(stopping$)),
      reloadFacts(reloads$, config.load),
      control$,
    ],
    balancer,
    createClock(),
    entries$,
  );
  control$.next({ type: 'gateway.started', version, config: coreConfigOf(current()) });

  const stop = async () => {
    stopping$.next();
    control$.next({ type: 'gateway.stopping' });
    listener.stop();
    const cut = await finishInFlight(
      listener.server,
      current().server.shutdownTimeoutMs,
      () => desk.inFlight,
    );
    running.unsubscribe();
    journal.unsubscribe();
    sockets.closeAll();
    admin.closeAllConnections();
    await new Promise((done) => admin.close(done));
    return cut;
  };
  return { port: portOf(listener.server), adminPort: portOf(admin), balancer, entries$, reload, stop };
}

function serverSettings(config: Config) {
  return {
    paths: config.server.paths,
    maxBodyBytes: config.server.maxBodyBytes,
    bufferBytes: config.retry.bufferBytes,
    probeIntervalMs: config.health.intervalMs,
  };
}
