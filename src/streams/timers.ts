/**
 * The timers the core may not have: when one fires, that is a fact like any other, and so it is recorded.
 * Deadlines themselves are the core's; here is only the waking up.
 */
import {
  asyncScheduler,
  defer,
  map,
  Observable,
  repeat,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
  switchMap,
  timer,
} from 'rxjs';
import type { Entry, Fact } from '../actors/events.ts';
import type { StreamSettings } from './ports.ts';

/**
 * Ticks that let the core sweep idle sockets, each after the interval that is set at that time.
 *
 * @param scheduler the clock of the timers, here and below; a virtual one in a simulated world
 */
export function sweepTicks(
  settings: () => StreamSettings,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<Fact> {
  return defer(() => timer(settings().sweepIntervalMs, scheduler)).pipe(
    map((): Fact => ({ type: 'timer.fired', timer: 'sweep' })),
    repeat(),
  );
}

/** For each request that is queued, a fact at its deadline, unless its wait has ended by then. */
export function queueDeadlines(entries$: Observable<Entry>, scheduler?: SchedulerLike): Observable<Fact> {
  return deadlines<number>(entries$, scheduler, ({ at, fact, decisions }, alarms) => {
    if (fact.type === 'client.aborted') alarms.cancel(fact.request);
    for (const decision of decisions) {
      if (decision.type === 'backend.selected' || decision.type === 'request.rejected') {
        alarms.cancel(decision.request);
      } else if (decision.type === 'request.queued') {
        const { request, deadline } = decision;
        alarms.set(request, deadline - at, { type: 'timer.fired', timer: 'queue', request });
      }
    }
  });
}

/** A timer may come up to a millisecond before its time, and the core does not end an ejection early. */
const TIMER_SLACK_MS = 1;

/** For each backend that is ejected, a fact at the end of its ejection, unless that has ended by then. */
export function ejectionDeadlines(entries$: Observable<Entry>, scheduler?: SchedulerLike): Observable<Fact> {
  return deadlines<string>(entries$, scheduler, ({ at, decisions }, alarms) => {
    for (const decision of decisions) {
      if (decision.type !== 'backend.changed') continue;
      const { backend, deadline } = decision;
      if (deadline === undefined) alarms.cancel(backend);
      else
        alarms.set(backend, deadline - at + TIMER_SLACK_MS, {
          type: 'timer.fired',
          timer: 'ejection',
          backend,
        });
    }
  });
}

type Alarms<Key> = {
  /** Takes the place of an alarm under the same key. */
  set(key: Key, afterMs: number, fact: Fact): void;
  cancel(key: Key): void;
};

function deadlines<Key>(
  entries$: Observable<Entry>,
  scheduler: SchedulerLike | undefined,
  note: (entry: Entry, alarms: Alarms<Key>) => void,
): Observable<Fact> {
  return new Observable<Fact>((subscriber) => {
    const running = new Map<Key, Subscription>();
    const alarms = createAlarms(running, subscriber, scheduler);
    const subscription = entries$.subscribe((entry) => note(entry, alarms));
    return () => {
      subscription.unsubscribe();
      for (const alarm of running.values()) alarm.unsubscribe();
    };
  });
}

function createAlarms<Key>(
  running: Map<Key, Subscription>,
  subscriber: Subscriber<Fact>,
  scheduler: SchedulerLike = asyncScheduler,
): Alarms<Key> {
  const cancel = (key: Key) => {
    if (running.size === 0) return;
    running.get(key)?.unsubscribe();
    running.delete(key);
  };
  return {
    cancel,
    set(key, afterMs, fact) {
      cancel(key);
      const alarm = wait(afterMs, scheduler).subscribe(() => {
        running.delete(key);
        subscriber.next(fact);
      });
      running.set(key, alarm);
    },
  };
}

/** The longest that node can wait for at once: it fires a timer with a longer delay after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Emits once after any time, however long. */
function wait(ms: number, scheduler: SchedulerLike): Observable<unknown> {
  if (ms <= LONGEST_TIMER_MS) return timer(ms, scheduler);
  return timer(LONGEST_TIMER_MS, scheduler).pipe(switchMap(() => wait(ms - LONGEST_TIMER_MS, scheduler)));
}
