/** The core and the streams as the daemon connects them (`src/gateway.ts`), at the ends of a simulated world. */
import { type Observable, Subject, Subscription, takeUntil } from 'rxjs';
import type { Balancer } from '../src/actors/balancer.ts';
import type { Entry, Fact } from '../src/actors/events.ts';
import { type ReloadTrigger, reloadFacts } from '../src/streams/config.ts';
import { routeDecisions } from '../src/streams/decisions.ts';
import { mergeFacts } from '../src/streams/facts.ts';
import { notableEntries } from '../src/streams/notable.ts';
import type { ProbePort, ReloadOutcome, SocketPort } from '../src/streams/ports.ts';
import { probeFacts } from '../src/streams/probes.ts';
import type { RequestDesk } from '../src/streams/requests.ts';
import { ejectionDeadlines, queueDeadlines, sweepTicks } from '../src/streams/timers.ts';
import { tunnelDeadlines } from '../src/streams/tunnels.ts';
import type { WorldSettings } from './scenario.ts';
import type { Timeline } from './timeline.ts';

export type GatewayOptions = {
  readonly balancer: Balancer;
  readonly timeline: Timeline;
  readonly settings: WorldSettings;
  readonly desk: RequestDesk;
  readonly sockets: SocketPort & { readonly facts$: Observable<Fact> };
  readonly prober: ProbePort;
  readonly control$: Subject<Fact>;
  readonly reloads$: Subject<ReloadTrigger>;
  readonly load: () => ReloadOutcome;
  readonly random: () => number;
  /** Sees each entry before anything is done about it. */
  readonly onEntry: (entry: Entry) => void;
  readonly onTunnelsDue: (backend: string) => void;
  /** The core threw, or a port did. */
  readonly onError: (error: unknown) => void;
};

export type SimulatedGateway = {
  /** Ends what goes on by itself: probes and sweeps. */
  stopTicks(): void;
  close(): void;
};

export function connectGateway(options: GatewayOptions): SimulatedGateway {
  const { balancer, timeline, settings, desk, sockets, prober, control$, onError } = options;
  const entries$ = new Subject<Entry>();
  const stopping$ = new Subject<void>();
  const running = new Subscription();
  running.add(entries$.subscribe(options.onEntry));
  running.add(
    routeDecisions(entries$, {
      sockets,
      exchangeOf: desk.exchangeOf,
      settingsOf: (backend) => balancer.core.backends.get(backend)?.settings,
      onError,
    }),
  );
  const notable$ = notableEntries(entries$);
  const drainedLate$ = tunnelDeadlines(notable$, () => settings.tunnelWaitMs, timeline);
  running.add(drainedLate$.subscribe(options.onTunnelsDue));
  const probes$ = probeFacts(notable$, {
    port: prober,
    settings: () => settings,
    random: options.random,
    scheduler: timeline,
  });
  const sources = [
    desk.facts$,
    sockets.facts$,
    queueDeadlines(entries$, timeline),
    ejectionDeadlines(notable$, timeline),
    probes$.pipe(takeUntil(stopping$)),
    sweepTicks(() => settings, timeline).pipe(takeUntil(stopping$)),
    reloadFacts(options.reloads$, options.load),
    control$,
  ];
  running.add(mergeFacts(sources, balancer, timeline, entries$, onError));
  return {
    stopTicks: () => stopping$.next(),
    close: () => running.unsubscribe(),
  };
}
