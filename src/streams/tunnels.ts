/**
 * Backends whose tunnels must end: a tunnel may last for days, and a backend that drains would never be drained. So they
 * have a limited time from there on, unless the backend is restored before.
 */
import { asyncScheduler, Observable, type SchedulerLike, type Subscription, timer } from 'rxjs';
import type { Entry } from '../actors/events.ts';

/**
 * @param scheduler the clock of the timers; a virtual one in a simulated world
 * @returns the id of each backend that has been draining for so long; and again each time as much has passed, since a
 * tunnel may be agreed to after the others have ended
 */
export function tunnelDeadlines(
  entries$: Observable<Entry>,
  waitMs: () => number,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<string> {
  return new Observable<string>((subscriber) => {
    const alarms = new Map<string, Subscription>();
    const cancel = (backend: string) => {
      alarms.get(backend)?.unsubscribe();
      alarms.delete(backend);
    };
    const subscription = entries$.subscribe(({ decisions }) => {
      for (const decision of decisions) {
        if (decision.type !== 'backend.changed') continue;
        const { backend, to } = decision;
        // Also one that is drained or removed: without leases it has no tunnels, and its id may come back.
        cancel(backend);
        if (to !== 'draining') continue;
        const ms = waitMs();
        alarms.set(
          backend,
          timer(ms, ms, scheduler).subscribe(() => subscriber.next(backend)),
        );
      }
    });
    return () => {
      subscription.unsubscribe();
      for (const alarm of alarms.values()) alarm.unsubscribe();
    };
  });
}
