/**
 * Virtual time: what is planned happens in the order of its time, and the clock leaps from one to the next. It is also
 * the scheduler that the streams' timers run on.
 */
import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { createAgenda } from '../src/simulation/agenda.ts';

export type Cancel = () => void;

export type Timeline = SchedulerLike & {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Has something happen later, unless it is called off. */
  after(ms: number, act: () => void): Cancel;
  /** Lets the next thing happen if that is due by `until`; else the clock goes to `until`. @returns whether it did */
  advance(until: number): boolean;
};

type Planned = { act: (() => void) | undefined };

/** @param lateness by how many milliseconds the next timer of the streams fires late */
export function createTimeline(start: number, lateness: () => number): Timeline {
  const agenda = createAgenda<Planned>();
  let now = start;
  const after = (ms: number, act: () => void): Cancel => {
    const planned: Planned = { act };
    agenda.add(now + Math.max(0, ms), undefined, planned);
    return () => {
      planned.act = undefined;
    };
  };
  return {
    now: () => now,
    after,
    schedule<State>(
      work: (this: SchedulerAction<State>, state: State) => void,
      delay = 0,
      state?: State,
    ): Subscription {
      const action = createAction(after, lateness, work);
      action.schedule(state, delay);
      return action;
    },
    advance(until) {
      for (;;) {
        const due = agenda.takeBefore(until, undefined);
        if (due === undefined) {
          now = Math.max(now, until);
          return false;
        }
        const { act } = due.item;
        if (act === undefined) continue;
        now = due.at;
        act();
        return true;
      }
    },
  };
}

/** One action of the scheduler; RxJS calls `work` with it as `this`, and may schedule it again. */
function createAction<State>(
  after: Timeline['after'],
  lateness: () => number,
  work: (this: SchedulerAction<State>, state: State) => void,
): SchedulerAction<State> {
  let cancel: Cancel | undefined;
  const subscription = new Subscription(() => cancel?.());
  const action: SchedulerAction<State> = Object.assign(subscription, {
    schedule(state?: State, delay = 0): Subscription {
      cancel?.();
      // RxJS hands the state through; where none was given, none is looked at.
      cancel = after(Math.ceil(delay) + lateness(), () => work.call(action, state as State));
      return action;
    },
  });
  return action;
}
