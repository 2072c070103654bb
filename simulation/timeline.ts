/**
 * Virtual time: what is planned happens in the order of its time, and the clock leaps from one to the next. It is also
 * the scheduler that the streams' timers run on.
 */
import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { Agenda, type Plan } from './agenda.ts';

export type { Plan } from './agenda.ts';

export class Timeline implements SchedulerLike {
  /** How many plans have come about. */
  happened = 0;
  readonly #agenda = new Agenda();
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

  /** Has something happen later, unless it is called off. */
  after(ms: number, act: () => void): Plan {
    return this.#agenda.add(this.#now + (ms > 0 ? ms : 0), act);
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
    const plan = this.#agenda.takeUntil(until);
    if (plan === undefined) {
      if (until > this.#now) this.#now = until;
      return false;
    }
    this.#now = plan.at;
    this.happened += 1;
    plan.act?.();
    return true;
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
