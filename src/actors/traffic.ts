/** What the core knows of requests as a whole, copied out as plain JSON for operators. */
import { type Core, poolOf } from './core.ts';
import { present } from './present.ts';
import { retriesInWindow } from './retry-budget.ts';

export type TrafficView = {
  readonly queue: {
    /** Requests that wait for a lease now. */
    readonly length: number;
    readonly max: number;
    /** How long the one has waited that has waited longest, waits before a retry included. */
    readonly longestWaitMs: number;
  };
  readonly retries: {
    /** Counted against the budget, in the window at hand; null where retries are not limited. */
    readonly inWindow: number | null;
    /** Not made for want of budget, since the gateway started. */
    readonly withheld: number;
  };
};

/** @param at milliseconds since the epoch */
export function viewTraffic(core: Core, at: number): TrafficView {
  const { waiting } = poolOf(core);
  const { budget, config } = core;
  let longestWaitMs = 0;
  for (const number of waiting) {
    const { waitedMs, queuedAt } = present(core.requests.get(number), 'a request that waits');
    longestWaitMs = Math.max(longestWaitMs, waitedMs + at - queuedAt);
  }
  return {
    queue: { length: waiting.length, max: config.pool.queue.max, longestWaitMs },
    retries: {
      inWindow: budget === undefined ? null : retriesInWindow(budget, config, at),
      withheld: budget?.refused ?? 0,
    },
  };
}
