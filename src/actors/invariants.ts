/**
 * What must always hold, whatever happened. Each rule is a function that returns what is wrong, or nothing. `breachesAt`
 * judges the state at one moment; `createAudit` follows every step, and so can also apply rules that need to remember. Tests
 * and the simulator use the audit, a running gateway checks a moment now and then.
 */
import type { Core } from './core.ts';
import type { Decision, Fact } from './events.ts';
import {
  drainingEnds,
  ejectionsStayWithinTheirShare,
  leasesBeginAtHealthyBackends,
  pausesAreHeeded,
  sharesAreWhole,
  slowStartsEnd,
  someoneIsHealthyWhileOneIsEjected,
  theSelectorHasTheConfig,
  theSelectorIsUpToDate,
} from './invariants/fleet.ts';
import { createHealthMemory } from './invariants/health-memory.ts';
import { createLeaseMemory } from './invariants/lease-memory.ts';
import { createRequestMemory } from './invariants/request-memory.ts';
import {
  heldAnswersAreDecided,
  leasesBelongToRequests,
  nobodyIsOvertaken,
  nobodyIsSentTwice,
  nobodyWaitsInVain,
  theLineIsInOrder,
} from './invariants/requests.ts';
import { createRetryMemory } from './invariants/retry-memory.ts';
import type { MomentRule, StepRule } from './invariants/rule.ts';
import {
  leaseCountsAreTrue,
  onlyHealthyBackendsKeepSockets,
  poolsStayWithinSize,
  socketsAreHeldOnce,
  socketsAreYoung,
  sweepsLeaveNothingOld,
} from './invariants/sockets.ts';
import { createWeightMemory } from './invariants/weight-memory.ts';

/** These look at each backend, and at each request that waits. */
const QUICK_RULES: readonly MomentRule[] = [
  poolsStayWithinSize,
  onlyHealthyBackendsKeepSockets,
  theSelectorIsUpToDate,
  nobodyWaitsInVain,
  drainingEnds,
  sharesAreWhole,
  slowStartsEnd,
  someoneIsHealthyWhileOneIsEjected,
];

/** These look at each request, each lease and each socket. */
const THOROUGH_RULES: readonly MomentRule[] = [
  socketsAreHeldOnce,
  leaseCountsAreTrue,
  leasesBelongToRequests,
  theLineIsInOrder,
  theSelectorHasTheConfig,
];

const STEP_RULES: readonly StepRule[] = [
  leasesBeginAtHealthyBackends,
  nobodyIsOvertaken,
  nobodyIsSentTwice,
  socketsAreYoung,
  sweepsLeaveNothingOld,
  ejectionsStayWithinTheirShare,
  heldAnswersAreDecided,
  pausesAreHeeded,
];

/** @returns all that is wrong with the core as it stands, in words; nothing if all is well */
export function breachesAt(core: Core): string[] {
  const breaches: string[] = [];
  look(QUICK_RULES, core, breaches);
  look(THOROUGH_RULES, core, breaches);
  return breaches;
}

function look(rules: readonly MomentRule[], core: Core, breaches: string[]): void {
  for (const rule of rules) {
    const breach = rule(core);
    if (breach !== undefined) breaches.push(breach);
  }
}

export type Audit = {
  /** Judges one step. @returns every breach, in words; none if all is well */
  check(core: Core, fact: Fact, decisions: readonly Decision[]): readonly string[];
  /** Requests that have been received and not ended yet. */
  readonly openRequests: ReadonlySet<number>;
  readonly openLeases: ReadonlyMap<number, string>;
};

const NONE: readonly string[] = [];

type AuditOptions = {
  /** After how many steps each single request, lease and socket is looked at; after each one, if not given. */
  readonly thoroughEvery?: number;
  /** By how much timers may be late; not given where they fire at random. */
  readonly latestTimerMs?: number;
};

/** An audit that has seen nothing yet; it has to see every step from the first. */
export function createAudit(options: AuditOptions = {}): Audit {
  const { thoroughEvery = 1, latestTimerMs } = options;
  const leases = createLeaseMemory();
  const requests = createRequestMemory(latestTimerMs);
  const health = createHealthMemory();
  const retries = createRetryMemory();
  const weights = createWeightMemory();
  const memories = [requests, leases, health, retries, weights];
  let steps = 0;
  return {
    openRequests: requests.open,
    openLeases: leases.open,
    check(core, fact, decisions) {
      steps += 1;
      const breaches: string[] = [];
      for (const memory of memories) memory.follow(core, fact, decisions, breaches);
      look(QUICK_RULES, core, breaches);
      for (const rule of STEP_RULES) {
        const breach = rule(core, fact, decisions);
        if (breach !== undefined) breaches.push(breach);
      }
      if (steps % thoroughEvery === 0) {
        look(THOROUGH_RULES, core, breaches);
        requests.lookAtAll(core, breaches);
      }
      return breaches.length === 0 ? NONE : breaches;
    },
  };
}
