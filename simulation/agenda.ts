/** What is going to happen in a simulated world: a binary heap, the earliest first, and of two the one that was planned first. */

export class Plan {
  readonly at: number;
  readonly number: number;
  act: (() => void) | undefined;

  constructor(at: number, number: number, act: () => void) {
    this.at = at;
    this.number = number;
    this.act = act;
  }

  /** Calls it off. It keeps its place, and is passed over in its turn. */
  cancel(): void {
    this.act = undefined;
  }
}

export class Agenda {
  readonly #heap: Plan[] = [];
  #number = 0;

  add(at: number, act: () => void): Plan {
    this.#number += 1;
    const plan = new Plan(at, this.#number, act);
    this.#siftUp(plan);
    return plan;
  }

  /** Takes out the first plan that has not been called off, if its time is not later than this. */
  takeUntil(at: number): Plan | undefined {
    const heap = this.#heap;
    for (;;) {
      const [first] = heap;
      if (first === undefined || (first.act !== undefined && first.at > at)) return undefined;
      const last = heap.pop();
      if (last !== undefined && last !== first) this.#siftDown(last);
      if (first.act !== undefined) return first;
    }
  }

  #siftUp(plan: Plan): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(plan, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = plan;
  }

  /** Puts a plan at the top, whose place is free, and moves it down to its place. */
  #siftDown(plan: Plan): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (child === undefined || !isBefore(child, plan)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = plan;
  }
}

function isBefore(one: Plan, other: Plan): boolean {
  return one.at === other.at ? one.number < other.number : one.at < other.at;
}
