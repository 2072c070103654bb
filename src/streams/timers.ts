/**
 * The timers the core may not have: when one fires, that is a fact like any other, and so it is recorded.
 * Deadlines themselves are the core's; here is only the waking up.
 */
import { defer, map, Observable, repeat, type Subscription, timer } from 'rxjs';
import type { Entry, Fact } from '../actors/events.ts';
import type { StreamSettings } from './ports.ts';

/** Ticks that let the core sweep idle sockets, each after the interval that is set at that time. */
export function sweepTicks(settings: () => StreamSettings): Observable<Fact> {
  return defer(() => timer(settings().sweepIntervalMs)).pipe(
    map((): Fact => ({ type: 'timer.fired', timer: 'sweep' })),
    repeat(),
  );
}

/** For each request that is queued, a fact at its deadline, unless its wait has ended by then. */
export function queueDeadlines(entries$: Observable<Entry>): Observable<Fact> {
  return new Observable<Fact>((subscriber) => {
    const alarms = new Map<number, Subscription>();
    const cancel = (request: number) => {
      alarms.get(request)?.unsubscribe();
      alarms.delete(request);
    };
    const subscription = entries$.subscribe(({ at, fact, decisions }) => {
      if (fact.type === 'client.aborted') cancel(fact.request);
      for (const decision of decisions) {
        if (decision.type === 'backend.selected' || decision.type === 'request.rejected') {
          if (alarms.size > 0) cancel(decision.request);
        } else if (decision.type === 'request.queued') {
          const { request, deadline } = decision;
          cancel(request);
          alarms.set(
            request,
            timer(deadline - at).subscribe(() => {
              alarms.delete(request);
              subscriber.next({ type: 'timer.fired', timer: 'queue', request });
            }),
          );
        }
      }
    });
    return () => {
      subscription.unsubscribe();
      for (const alarm of alarms.values()) alarm.unsubscribe();
    };
  });
}
