/**
 * Probe ticks: for each backend its own jittered beat, at once for a new one, with one probe at a time. A
 * backend that leaves the config, or moves to another address, takes its running probe with it.
 */
import {
  asyncScheduler,
  concat,
  defer,
  exhaustMap,
  filter,
  finalize,
  from,
  map,
  mergeMap,
  Observable,
  of,
  repeat,
  type SchedulerLike,
  type Subscription,
  tap,
  timer,
} from 'rxjs';
import type { BackendSettings, Entry, Fact } from '../actors/events.ts';
import type { ProbePort, ProbeResult, StreamSettings } from './ports.ts';

/** Share of the interval by which a tick may come early or late, so that backends are not probed in step. */
const JITTER = 0.1;

export type ProbeOptions = {
  readonly port: ProbePort;
  readonly settings: () => StreamSettings;
  /** A number from 0 up to 1, as of `Math.random`. */
  readonly random: () => number;
  /** The clock of the timers; a virtual one in a simulated world. */
  readonly scheduler?: SchedulerLike;
};

/** Facts from probing whatever backends the core has been configured with, as the entries tell. */
export function probeFacts(entries$: Observable<Entry>, options: ProbeOptions): Observable<Fact> {
  const targets$ = entries$.pipe(mergeMap(({ fact }) => ('config' in fact ? [fact.config.backends] : [])));
  return new Observable<Fact>((subscriber) => {
    const beats = new Map<string, Subscription>();
    const subscription = targets$.subscribe((targets) => {
      const wanted = new Map(targets.map((target) => [addressOf(target), target]));
      for (const [address, beat] of beats) {
        if (wanted.has(address)) continue;
        beat.unsubscribe();
        beats.delete(address);
      }
      for (const [address, target] of wanted) {
        if (beats.has(address)) continue;
        // Not `subscribe(subscriber)`: RxJS would return the subscriber itself, and ending one beat end them all.
        const beat = probeLoop(target, options).subscribe((fact) => subscriber.next(fact));
        beats.set(address, beat);
      }
    });
    return () => {
      subscription.unsubscribe();
      for (const beat of beats.values()) beat.unsubscribe();
    };
  });
}

function addressOf({ id, protocol, host, port }: BackendSettings): string {
  return `${id} ${protocol}://${host}:${port}`;
}

function probeLoop(target: BackendSettings, options: ProbeOptions): Observable<Fact> {
  const { scheduler = asyncScheduler } = options;
  const nextTick = () => {
    const { probeIntervalMs } = options.settings();
    return timer(probeIntervalMs * (1 + JITTER * (2 * options.random() - 1)), scheduler);
  };
  const ticks$ = concat(of(0), defer(nextTick).pipe(repeat()));
  return ticks$.pipe(
    exhaustMap(() => probeOnce(target, options.port)),
    // No probe was made: to take that for a failure would make all backends unhealthy together.
    filter((result) => result.ok || result.reason !== 'exhausted'),
    map((result) => toFact(target.id, result)),
  );
}

/** One probe, which is called off when nobody wants its result any more. */
function probeOnce(target: BackendSettings, port: ProbePort): Observable<ProbeResult> {
  return defer(() => {
    const abort = new AbortController();
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    return from(port.probe(target, abort.signal)).pipe(
      tap({ complete: end }),
      // A probe that has ended is not aborted: that alone would cost more than everything else here.
      finalize(() => {
        if (!isOver) abort.abort();
      }),
    );
  });
}

function toFact(backend: string, result: ProbeResult): Fact {
  const { latencyMs } = result;
  return result.ok
    ? { type: 'probe.succeeded', backend, status: result.status, latencyMs }
    : { type: 'probe.failed', backend, reason: result.reason, latencyMs };
}
