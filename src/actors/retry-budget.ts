/**
 * The retry budget: a request that a backend had got and that is sent again is extra load, and where everything fails such
 * retries would multiply the load. So within a window they may be a share of its requests at most. As many as one backend
 * can lose at once are always allowed, so that clients do not notice its death even where there is little traffic.
 *
 * The window slides in ten steps; each step has counts of its own.
 */
import type { CoreConfig } from './events.ts';
import { present } from './present.ts';

export type RetryBudget = {
  /** Number of the step at hand since the epoch; a step is a tenth of the window. */
  step: number;
  /** Requests and retries of the last steps, the one at hand at `step % STEPS`. */
  readonly requests: number[];
  readonly retries: number[];
  /** Retries that were not made for want of budget, since the gateway started. */
  refused: number;
};

const STEPS = 10;
const LEAST = 3;

/** The budget under a config: the one there was, a new one, or none if the config has none. */
export function budgetUnder({ retry }: CoreConfig, before: RetryBudget | undefined): RetryBudget | undefined {
  if (retry.budgetShare === undefined) return undefined;
  return before ?? { step: 0, requests: noughts(), retries: noughts(), refused: 0 };
}

function noughts(): number[] {
  return new Array<number>(STEPS).fill(0);
}

/** Goes to the step that `at` is in. @returns where it is counted */
function advance(budget: RetryBudget, { retry }: CoreConfig, at: number): number {
  const stepMs = Math.max(1, (retry.budgetWindowMs ?? 0) / STEPS);
  const step = Math.floor(at / stepMs);
  // After a reload with another window the steps are numbered differently, and what was counted before is forgotten.
  if (step !== budget.step) {
    const passed = step > budget.step ? Math.min(STEPS, step - budget.step) : STEPS;
    for (let ago = 0; ago < passed; ago += 1) {
      budget.requests[(step - ago) % STEPS] = 0;
      budget.retries[(step - ago) % STEPS] = 0;
    }
    budget.step = step;
  }
  return step % STEPS;
}

/** Counts a request that comes in. */
export function countRequest(budget: RetryBudget, config: CoreConfig, at: number): void {
  const index = advance(budget, config, at);
  budget.requests[index] = present(budget.requests[index], 'a step') + 1;
}

/** Takes one retry from the budget. @returns false if none is left, which is counted */
export function spendRetry(budget: RetryBudget, config: CoreConfig, at: number): boolean {
  const index = advance(budget, config, at);
  const { budgetShare = 0 } = config.retry;
  const most = Math.max(LEAST, config.pool.size, budgetShare * sum(budget.requests));
  if (sum(budget.retries) + 1 > most) {
    budget.refused += 1;
    return false;
  }
  budget.retries[index] = present(budget.retries[index], 'a step') + 1;
  return true;
}

/** For those who look on; changes nothing. */
export function retriesInWindow(budget: RetryBudget, config: CoreConfig, at: number): number {
  const copy = { ...budget, requests: [...budget.requests], retries: [...budget.retries] };
  advance(copy, config, at);
  return sum(copy.retries);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
