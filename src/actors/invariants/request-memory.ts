/** Remembers requests: each that is received ends once, and none waits beyond its deadline, or is sent away before it. */
import { type Core, poolOf } from '../core.ts';
import type { Decision } from '../events.ts';
import type { Memory } from './rule.ts';

export type RequestMemory = Memory & {
  /** Requests that have been received and not ended yet. */
  readonly open: ReadonlySet<number>;
  /** Looks at each single request. */
  lookAtAll(core: Core, breaches: string[]): void;
};

/** A timer may come a millisecond before its time. */
const TIMER_SLACK_MS = 1;

/**
 * @param latestTimerMs by how much timers may be late; a wait that is longer by more is a breach, and so is one that was
 *   ended early. Undefined where timers fire at random.
 */
export function createRequestMemory(latestTimerMs: number | undefined): RequestMemory {
  const open = new Set<number>();
  /** When the waits end of those in line. */
  const deadlines = new Map<number, number>();

  const note = (core: Core, decision: Decision, breaches: string[]) => {
    switch (decision.type) {
      case 'request.queued':
        deadlines.set(decision.request, decision.deadline);
        break;
      case 'backend.selected':
        deadlines.delete(decision.request);
        break;
      case 'request.rejected': {
        const { request, code } = decision;
        if (!open.delete(request)) breaches.push(`request ${request} ended twice, or was never received`);
        const deadline = latestTimerMs === undefined ? undefined : deadlines.get(request);
        if (code === 'queue_timeout' && deadline !== undefined && core.at < deadline - TIMER_SLACK_MS)
          breaches.push(`the wait of request ${request} ended ${deadline - core.at} ms early`);
        deadlines.delete(request);
        break;
      }
      default:
        break;
    }
  };

  const lookAtAll = (core: Core, breaches: string[]) => {
    for (const request of open) {
      if (core.requests.has(request)) continue;
      open.delete(request);
      breaches.push(`request ${request} is gone and has not ended`);
    }
    for (const request of core.requests.keys()) {
      if (!open.has(request)) breaches.push(`request ${request} is under way after it ended`);
    }
    if (latestTimerMs === undefined) return;
    for (const request of poolOf(core).waiting) {
      const deadline = deadlines.get(request) ?? Number.POSITIVE_INFINITY;
      if (core.at > deadline + latestTimerMs)
        breaches.push(`request ${request} still waits, ${core.at - deadline} ms beyond its deadline`);
    }
  };

  return {
    open,
    lookAtAll,
    follow(core, fact, decisions, breaches) {
      if (fact.type === 'request.received') {
        open.add(fact.request);
        lookAtLength(core, decisions, breaches);
      }
      if (latestTimerMs !== undefined && fact.type === 'timer.fired' && fact.timer === 'queue') {
        if (!deadlines.has(fact.request))
          breaches.push(`the wait of request ${fact.request} was ended, which does not wait`);
      }
      for (const decision of decisions) note(core, decision, breaches);
      if ('request' in fact && !core.requests.has(fact.request)) {
        open.delete(fact.request);
        deadlines.delete(fact.request);
      }
      if (open.size !== core.requests.size) lookAtAll(core, breaches);
    },
  };
}

/** The line is bounded for those who come; one that is in already and lost its backend is not sent away for it. */
function lookAtLength(core: Core, decisions: readonly Decision[], breaches: string[]): void {
  const { max } = core.config.pool.queue;
  for (const decision of decisions)
    if (decision.type === 'request.queued' && decision.length > max)
      breaches.push(`request ${decision.request} is number ${decision.length} of a line of ${max} at most`);
}
