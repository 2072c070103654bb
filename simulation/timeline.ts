/**
 * Virtual time: what is planned happens in the order of its time, and the clock jumps from one plan to the next. It is also
 * the scheduler that the timers of the streams run on.
 */
import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { createAgenda } from '../src/simulation/agenda.ts';

/** Something that is going to happen, unless it is cancelled. */
export class Plan {
  act: (() => void) | undefined;

  constructor(act: () => void) {
    this.act = act;
  }

  /** It keeps its place in the agenda, and is passed over in its turn. */
  cancel(): void {
    this.act = undefined;
  }
}

export class Timeline implements SchedulerLike {
  readonly #agenda = createAgenda<Plan>();
  readonly #lateness: () => number;
  #now: number;

  /** @param lateness by how many milliseconds the next timer of the streams fires late */
  constructor(start: number, lateness: () => number) {
    this.#now = start;
    this.#lateness = lateness;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** Plans something for later. */
  after(ms: number, act: () => void): Plan {
    const plan = new Plan(act);
    this.#agenda.add(this.#now + (ms > 0 ? ms : 0), undefined, plan);
    return plan;
  }

  /** As RxJS wants it: a timer of the streams, which may be late. */
  schedule<State>(
    work: (this: SchedulerAction<State>, state: State) => void,
    delay = 0,
    state?: State,
  ): Subscription {
    const action = new TimelineAction(this, this.#lateness, work);
    return action.schedule(state, delay);
  }

  /** Lets the next thing happen if that is due by `until`; else the clock goes to `until`. @returns whether it did */
  advance(until: number): boolean {
    for (;;) {
      const due = this.#agenda.takeBefore(until, undefined);
      if (due === undefined) {
        if (until > this.#now) this.#now = until;
        return false;
      }
      const { act } = due.item;
      if (act === undefined) continue;
      this.#now = due.at;
      act();
      return true;
    }
  }
}

/** One action of the scheduler; RxJS calls `work` with it as `this`, and may schedule it again. */
class TimelineAction<State> extends Subscription implements SchedulerAction<State> {
  readonly #timeline: Timeline;
  readonly #lateness: () => number;
  readonly #work: (this: SchedulerAction<State>, state: State) => void;
  #plan: Plan | undefined;

  constructor(
    timeline: Timeline,
    lateness: () => number,
    work: (this: SchedulerAction<State>, state: State) => void,
  ) {
    super();
    this.#timeline = timeline;
    this.#lateness = lateness;
    this.#work = work;
  }

  schedule(state?: State, delay = 0): Subscription {
    this.#plan?.cancel();
    // RxJS hands the state through; where none was given, none is looked at.
    this.#plan = this.#timeline.after(Math.ceil(delay) + this.#lateness(), () =>
      this.#work.call(this, state as State),
    );
    return this;
  }

  override unsubscribe(): void {
    this.#plan?.cancel();
    super.unsubscribe();
  }
}
