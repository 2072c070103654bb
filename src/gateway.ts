/**
 * One gateway, put together: the core, the streams that carry facts to it and decisions from it, and the ends
 * in `io`. Tests and the daemon start it the same way.
 */
import { type Observable, config as rxjs, Subject, type Subscription, takeUntil } from 'rxjs';
import { type Balancer, createBalancer } from './actors/balancer.ts';
import { poolOf } from './actors/core.ts';
import type { Entry, Fact } from './actors/events.ts';
import { createFigures, type Figures } from './actors/figures/figures.ts';
import { foldEntry } from './actors/figures/fold.ts';
import { takeSnapshot } from './actors/snapshot.ts';
import { type BreachReport, createBreachReport } from './io/breach-report.ts';
import { createClock } from './io/clock.ts';
import { withoutSecrets } from './io/config/secrets.ts';
import { type ConnectionLimits, createConnectionLimits } from './io/connection-limits.ts';
import { type EventLog, noEventLog, openEventLog } from './io/event-log/event-log.ts';
import { type FilePort, realFiles } from './io/event-log/files.ts';
import { writeJournal } from './io/journal.ts';
import { finishInFlight, listenAll, portOf } from './io/listening.ts';
import { coreConfigOf, type LiveConfig, perConfig } from './io/live-config.ts';
import type { Logger } from './io/log.ts';
import { gatewayMetrics, type Metrics } from './io/metrics/metrics.ts';
import { createProber } from './io/prober.ts';
import { type ClientListener, createClientListener } from './io/server.ts';
import { createSocketRegistry, type SocketRegistry } from './io/sockets.ts';
import { createUpstream } from './io/upstream.ts';
import { createOperators, type Operators } from './operators.ts';
import { type ReloadTrigger, reloadFacts } from './streams/config.ts';
import { routeDecisions } from './streams/decisions.ts';
import { mergeFacts } from './streams/facts.ts';
import { notableEntries } from './streams/notable.ts';
import type { Clock, ReloadOutcome } from './streams/ports.ts';
import { probeFacts } from './streams/probes.ts';
import { createRequestDesk, type RequestDesk } from './streams/requests.ts';
import { sampleInvariants } from './streams/sampled-invariants.ts';
import { ejectionDeadlines, queueDeadlines, sweepTicks } from './streams/timers.ts';
import { tunnelDeadlines } from './streams/tunnels.ts';

export type GatewayOptions = {
  readonly config: LiveConfig;
  readonly log: Logger;
  readonly version: string;
  /** Where the event log is written; the file system, if not given. */
  readonly files?: FilePort;
  /** Whether the page that sends to Stately's hosted inspector is served. */
  readonly hasStatelyBridge?: boolean;
  /** Told when the core itself fails: nothing is decided any more, and the process had better end. */
  readonly onFatal: (error: unknown) => void;
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
 * Has errors of those who watch `entries$` reported, for the whole process. Without this RxJS throws them where nothing
 * catches them, and a watcher's mistake would be an outage.
 */
export function reportWatchers(onError: (error: unknown) => void): void {
  rxjs.onUnhandledError = onError;
}

/** What runs through the gateway, and the ends it runs between. */
type Parts = {
  readonly options: GatewayOptions;
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly eventLog: EventLog;
  readonly desk: RequestDesk;
  readonly sockets: SocketRegistry;
  readonly figures: Figures;
  readonly connections: ConnectionLimits;
  readonly breaches: BreachReport;
  readonly metrics: Metrics;
  readonly entries$: Subject<Entry>;
  /** Facts from operators and from the gateway about itself. */
  readonly control$: Subject<Fact>;
  readonly reloads$: Subject<ReloadTrigger>;
  /** Ends what goes on by itself: probes and sweeps. */
  readonly stopping$: Subject<void>;
};

/**
 * Listens and serves.
 *
 * @throws the error of `listen` (such as EADDRINUSE), after closing whatever was open
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { current } = options.config;
  const balancer = createBalancer();
  const clock = createClock();
  // Open before anything can happen: the first entry's number depends on what the log holds.
  const eventLog = await openLog(options, balancer, clock);
  const figures = createFigures();
  const connections = createConnectionLimits(() => current().server);
  const breaches = createBreachReport(options.log);
  const parts: Parts = {
    options,
    balancer,
    clock,
    eventLog,
    figures,
    connections,
    breaches,
    metrics: createMetrics(balancer, { eventLog, figures, connections, breaches }),
    desk: createRequestDesk(),
    sockets: createSocketRegistry({
      http1: () => current().upstream.http1,
      connectTimeoutMs: () => current().upstream.connectTimeoutMs,
      secureContext: () => options.config.pem().upstream,
    }),
    entries$: new Subject(),
    control$: new Subject(),
    reloads$: new Subject(),
    stopping$: new Subject(),
  };
  const reload = () => new Promise<ReloadOutcome>((done) => parts.reloads$.next({ done }));
  const listener = createListener(parts);
  // Remembered, since the operators still ask for it while the gateway stops and listens no more.
  let port = current().server.port;
  const operators = createOperatorsSide(parts, reload, () => port);
  // Listening comes first: a gateway whose port is taken must not begin to probe.
  await listenAll([
    [operators.server, current().admin],
    [listener.server, current().server],
  ]).catch(async (error: unknown) => {
    await parts.eventLog.close();
    throw error;
  });
  port = portOf(listener.server);
  const running = connect(parts, listener);
  parts.control$.next({
    type: 'gateway.started',
    version: options.version,
    config: coreConfigOf(current()),
  });
  return {
    port,
    adminPort: portOf(operators.server),
    balancer: parts.balancer,
    entries$: parts.entries$,
    reload,
    stop: () => stop(parts, listener, operators, running),
  };
}

function openLog(options: GatewayOptions, balancer: Balancer, clock: Clock): Promise<EventLog> {
  const { config, version, log, files = realFiles } = options;
  const settings = () => config.current().eventLog;
  if (!settings().enabled) return Promise.resolve(noEventLog);
  return openEventLog({
    dir: settings().dir,
    settings,
    version,
    config: () => withoutSecrets(config.current()),
    snapshot: () => takeSnapshot(balancer.core),
    now: clock.now,
    files,
    log,
  });
}

function createMetrics(
  { core, backends }: Balancer,
  {
    eventLog,
    figures,
    connections,
    breaches,
  }: Pick<Parts, 'eventLog' | 'figures' | 'connections' | 'breaches'>,
): Metrics {
  return gatewayMetrics(() => ({
    figures,
    core: { backends: backends(), queued: poolOf(core).waiting.length, inFlight: core.requests.size },
    connections: connections.stats(),
    eventLog: eventLog.stats(),
    invariants: breaches,
  }));
}

function createListener({ options, desk, sockets, metrics, connections }: Parts): ClientListener {
  const { current } = options.config;
  return createClientListener({
    desk,
    upstream: createUpstream(sockets, () => current().upstream),
    settings: perConfig(current, ({ server, upstream, retry, health }) => ({
      ...server,
      tunnelIdleTimeoutMs: upstream.tunnelIdleTimeoutMs,
      bufferBytes: retry.bufferBytes,
      probeIntervalMs: health.intervalMs,
      retryOn: retry.on,
    })),
    certificates: () => options.config.pem().server,
    version: options.version,
    metrics,
    connections,
  });
}

function createOperatorsSide(parts: Parts, reload: Gateway['reload'], port: () => number): Operators {
  const { options, balancer, clock, control$, eventLog, metrics } = parts;
  return createOperators({
    ...parts,
    ...options,
    hasStatelyBridge: options.hasStatelyBridge ?? false,
    port,
    drain: (backend) => control$.next({ type: 'operator.drained', backend }),
    restore: (backend) => control$.next({ type: 'operator.restored', backend }),
    reload,
    stats: async () => ({
      ...balancer.traffic(clock.now()),
      eventLog: eventLog.stats(),
      metrics: await metrics.json(),
    }),
    metrics,
  });
}

/** Connects every source of facts to the core, and the core's decisions to those who carry them out. */
function connect(parts: Parts, listener: ClientListener): Subscription {
  const { options, balancer, clock, eventLog, desk, sockets, figures, entries$ } = parts;
  const { current } = options.config;
  const load = () => {
    const outcome = options.config.load();
    if (outcome.ok) listener.renewCertificates();
    return outcome;
  };
  const settings = () => ({
    probeIntervalMs: current().health.intervalMs,
    sweepIntervalMs: current().pool.sweepIntervalMs,
  });
  // First of all: an entry is taken down before anything is done about it, so that also the one is there whose decisions
  // cannot be carried out. The next fact comes when all who watch have seen this one, so the state of the core fits.
  const running = entries$.subscribe(eventLog.append);
  running.add(entries$.subscribe((entry) => foldEntry(figures, entry)));
  const routing = routeDecisions(entries$, {
    sockets,
    exchangeOf: desk.exchangeOf,
    settingsOf: (backend) => balancer.core.backends.get(backend)?.settings,
    onError: (err, decision) => options.log.error({ err, decision }, `${decision.type} was not carried out`),
  });
  running.add(routing);
  const notable$ = notableEntries(entries$);
  running.add(writeJournal(notable$, options.log));
  running.add(sampleInvariants(notable$, balancer.core).subscribe(parts.breaches.take));
  const drainedLate$ = tunnelDeadlines(notable$, () => current().server.shutdownTimeoutMs);
  running.add(drainedLate$.subscribe(listener.endTunnels));
  const prober = createProber(
    () => current().health,
    () => options.config.pem().upstream,
  );
  const probes$ = probeFacts(notable$, { port: prober, settings, random: Math.random });
  const sources = [
    desk.facts$,
    sockets.facts$,
    queueDeadlines(entries$),
    ejectionDeadlines(notable$),
    probes$.pipe(takeUntil(parts.stopping$)),
    sweepTicks(settings).pipe(takeUntil(parts.stopping$)),
    reloadFacts(parts.reloads$, load),
    parts.control$,
  ];
  running.add(mergeFacts(sources, balancer, clock, entries$, options.onFatal, eventLog.firstSeq));
  return running;
}

async function stop(
  { options, sockets, control$, stopping$, eventLog }: Parts,
  listener: ClientListener,
  operators: Operators,
  running: Subscription,
): Promise<number> {
  stopping$.next();
  control$.next({ type: 'gateway.stopping' });
  listener.stop();
  const { shutdownTimeoutMs } = options.config.current().server;
  const cut = await finishInFlight(listener, shutdownTimeoutMs);
  control$.next({ type: 'listener.closed' });
  running.unsubscribe();
  sockets.closeAll();
  await operators.close();
  await eventLog.close();
  return cut;
}
