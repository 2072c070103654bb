/**
 * Backends whose tunnels must end: a tunnel may last for days, and a backend that drains would never be drained. So they
 * have a limited time from there on, unless the backend is restored before.
 */
import { asyncScheduler, Observable, type SchedulerLike, type Subscription, timer } from 'rxjs';
import type { BackendStatus, Entry } from '../actors/events.ts';

const LEAVING: readonly BackendStatus[] = ['draining', 'removed'];

/** @returns the id of each backend that has been draining for so long */
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
        if (!LEAVING.includes(to)) cancel(backend);
        else if (!alarms.has(backend)) {
          const alarm = timer(waitMs(), scheduler).subscribe(() => {
            alarms.delete(backend);
            subscriber.next(backend);
          });
          alarms.set(backend, alarm);
        }
      }
    });
    return () => {
      subscription.unsubscribe();
      for (const alarm of alarms.values()) alarm.unsubscribe();
    };
  });
}
