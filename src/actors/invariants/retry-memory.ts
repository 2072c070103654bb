/**
 * Remembers retries: none follows the first byte of an answer, and retries of requests that a backend had got stay within
 * the budget. The core's window moves in steps of a tenth, so it may be up to a tenth shorter than configured. So retries are
 * counted over nine tenths of the window here and requests over all of it, which never asks more than the core promises.
 */
import type { Core } from '../core.ts';
import type { Decision, Fact } from '../events.ts';
import { present } from '../present.ts';
import type { Memory } from './rule.ts';

type Retried = Extract<Decision, { type: 'request.retried' }>;

const LEAST = 3;
const SURE_SHARE = 0.9;

export function createRetryMemory(): Memory {
  const requests = createTimes();
  const retries = createTimes();
  const reused = new Set<number>();
  const answering = new Set<number>();
  /** Attempts of a request so far, and how often a stale socket has used up none. */
  const attempts = new Map<number, { used: number; stale: number }>();
  let windowMs: number | undefined;

  const spend = (core: Core, breaches: string[]) => {
    const { budgetShare, budgetWindowMs = 0 } = core.config.retry;
    if (budgetShare === undefined) return;
    retries.add(core.at);
    const count = retries.since(core.at - SURE_SHARE * budgetWindowMs);
    const most = Math.max(
      LEAST,
      core.config.pool.size,
      budgetShare * requests.since(core.at - budgetWindowMs),
    );
    if (count > most) breaches.push(`${count} retries are in a window that has budget for ${most}`);
  };

  const count = (core: Core, { request, attempt }: Retried, breaches: string[]) => {
    const so = attempts.get(request) ?? { used: 0, stale: 0 };
    attempts.set(request, so);
    if (attempt === so.used) so.stale += 1;
    else if (attempt > core.config.retry.attempts)
      breaches.push(`request ${request} has attempt ${attempt} of ${core.config.retry.attempts}`);
    so.used = attempt;
    if (so.stale > 1) breaches.push(`request ${request} has met a stale socket ${so.stale} times`);
  };

  const noteFact = (core: Core, fact: Fact) => {
    const { budgetWindowMs } = core.config.retry;
    if (budgetWindowMs !== windowMs) {
      windowMs = budgetWindowMs;
      retries.clear();
    }
    if (fact.type === 'request.received' && windowMs !== undefined) requests.add(core.at);
    if (fact.type === 'response.started' && core.requests.get(fact.request)?.phase === 'answering')
      answering.add(fact.request);
  };

  return {
    follow(core, fact, decisions, breaches) {
      noteFact(core, fact);
      for (const decision of decisions) {
        if (decision.type === 'lease.granted' && decision.reused) reused.add(decision.lease);
        if (decision.type !== 'request.retried') continue;
        const { request } = decision;
        count(core, decision, breaches);
        if (answering.has(request)) breaches.push(`request ${request} is sent again after its first byte`);
        if (isCounted(fact, decisions, reused)) spend(core, breaches);
      }
      for (const decision of decisions) if (decision.type === 'lease.released') reused.delete(decision.lease);
      if ('request' in fact && !core.requests.has(fact.request)) {
        answering.delete(fact.request);
        attempts.delete(fact.request);
      }
    },
  };
}

/** Whether a retry counts against the budget: not if no backend had got the request, nor after a stale socket. */
function isCounted(fact: Fact, decisions: readonly Decision[], reused: ReadonlySet<number>): boolean {
  if (fact.type === 'response.started') return decisions.some(({ type }) => type === 'response.discarded');
  return fact.type === 'response.failed' && fact.written && !reused.has(fact.lease);
}

type Times = {
  add(at: number): void;
  /** How many are later than this; those before are forgotten. */
  since(at: number): number;
  clear(): void;
};

function createTimes(): Times {
  let times: number[] = [];
  let first = 0;
  return {
    add(at) {
      times.push(at);
    },
    since(at) {
      while (first < times.length && present(times[first], 'a time') <= at) first += 1;
      if (first > 1_000) {
        times = times.slice(first);
        first = 0;
      }
      return times.length - first;
    },
    clear() {
      times = [];
      first = 0;
    },
  };
}
