/**
 * What must hold after every step, whatever happened. Each rule is a function that returns what is wrong, or
 * nothing. `createAudit` adds the rules that need to remember: what was granted, received, and already ended.
 */
import { type Core, poolOf, selectorOf, statusOfBackend } from './core.ts';
import type { Decision, Fact } from './events.ts';
import { mostEjected } from './outlier.ts';
import { hasRoom } from './pool.ts';

type Rule = (core: Core, decisions: readonly Decision[]) => string | undefined;

/** A lease begins only at a backend that is healthy at the end of the step that began it. */
function leasesBeginAtHealthyBackends(core: Core, decisions: readonly Decision[]): string | undefined {
  for (const decision of decisions) {
    if (decision.type !== 'backend.selected') continue;
    const status = statusOfBackend(core, decision.backend);
    if (status !== 'healthy')
      return `request ${decision.request} was given to ${decision.backend}, which is ${status}`;
  }
  return undefined;
}

/** A socket is on one lease or idle in one pool, never both, never twice. */
function socketsAreHeldOnce(core: Core): string | undefined {
  const seen = new Set<number>();
  const { backends, leases } = poolOf(core);
  const idle = [...backends.values()].flatMap((pool) => pool.idle.map(({ socket }) => socket));
  for (const socket of [...idle, ...[...leases.values()].map((lease) => lease.socket)]) {
    if (seen.has(socket)) return `socket ${socket} is held twice`;
    seen.add(socket);
  }
  return undefined;
}

/** Idle and leased together stay within the size; leases above a size that was lowered only run off. */
function poolsStayWithinSize(core: Core): string | undefined {
  for (const [backend, { idle, leased, size }] of poolOf(core).backends) {
    if (idle.length > 0 && idle.length + leased > size) {
      return `${backend} has ${idle.length} idle and ${leased} leased sockets in a pool of ${size}`;
    }
  }
  return undefined;
}

/** The count of leases of each backend is the number of leases there are. */
function leaseCountsAreTrue(core: Core): string | undefined {
  const { backends, leases } = poolOf(core);
  for (const [backend, { leased }] of backends) {
    const real = [...leases.values()].filter((lease) => lease.backend === backend).length;
    if (real !== leased) return `${backend} counts ${leased} leases and has ${real}`;
  }
  return undefined;
}

/** A request with a lease and the lease with its request know each other; no lease is without a request. */
function leasesBelongToRequests(core: Core): string | undefined {
  const { leases } = poolOf(core);
  for (const { lease, request } of leases.values()) {
    if (core.requests.get(request)?.lease !== lease)
      return `lease ${lease} is not the one request ${request} has`;
  }
  for (const { request, lease, phase } of core.requests.values()) {
    const shouldLease = phase === 'leased' || phase === 'answering';
    if (shouldLease !== (lease !== undefined)) return `request ${request} is ${phase} with lease ${lease}`;
    if (lease !== undefined && !leases.has(lease))
      return `request ${request} has lease ${lease}, which is gone`;
  }
  return undefined;
}

/** The line holds exactly the waiting requests, in order of arrival. */
function theLineIsInOrder(core: Core): string | undefined {
  const { waiting } = poolOf(core);
  const expected = [...core.requests.values()]
    .filter(({ phase }) => phase === 'waiting')
    .map(({ request }) => request);
  const sorted = expected.sort((a, b) => a - b);
  return sorted.join() === waiting.join()
    ? undefined
    : `the line is ${waiting.join()}, waiting are ${sorted.join()}`;
}

/** The selector's view of health and room is the machines' and the pool's. */
function theSelectorIsUpToDate(core: Core): string | undefined {
  for (const { backend, healthy, hasRoom: room } of selectorOf(core).peers) {
    if (healthy !== (statusOfBackend(core, backend) === 'healthy'))
      return `the selector is wrong on ${backend}'s health`;
    const pool = poolOf(core).backends.get(backend);
    if (pool === undefined || room !== hasRoom(pool))
      return `the selector is wrong on the room at ${backend}`;
  }
  return undefined;
}

/** Nobody waits who could be served, or for backends that are all out. */
function nobodyWaitsInVain(core: Core): string | undefined {
  for (const number of poolOf(core).waiting) {
    const tried = core.requests.get(number)?.tried ?? [];
    const possible = selectorOf(core).peers.filter(
      ({ healthy, backend }) => healthy && !tried.includes(backend),
    );
    if (possible.length === 0) return `request ${number} waits and no backend can ever take it`;
    const open = possible.find(({ hasRoom: room }) => room);
    if (open !== undefined) return `request ${number} waits and ${open.backend} has room`;
  }
  return undefined;
}

/** First come, first served: nobody is given a backend that one who came earlier still waits for. */
function nobodyIsOvertaken(core: Core, decisions: readonly Decision[]): string | undefined {
  for (const [index, decision] of decisions.entries()) {
    if (decision.type !== 'backend.selected') continue;
    const { request, backend } = decision;
    // Who is sent again had its turn before.
    if (decisions.some((other) => other.type === 'request.retried' && other.request === request)) continue;
    const later = decisions.slice(index).filter(({ type }) => type === 'request.queued');
    for (const number of poolOf(core).waiting) {
      if (number >= request) break;
      if (later.some((other) => 'request' in other && other.request === number)) continue;
      if (core.requests.get(number)?.tried.includes(backend) !== true)
        return `request ${request} was given to ${backend}, for which request ${number} waits`;
    }
  }
  return undefined;
}

/** A backend drains only as long as it has leases. */
function drainingEnds(core: Core): string | undefined {
  for (const [backend, { leased }] of poolOf(core).backends) {
    if (leased === 0 && statusOfBackend(core, backend) === 'draining')
      return `${backend} drains without a lease`;
  }
  return undefined;
}

/** Ejections keep within their share; those above a share that was lowered only run off. */
function ejectionsStayWithinTheirShare(core: Core, decisions: readonly Decision[]): string | undefined {
  if (!decisions.some((decision) => decision.type === 'backend.changed' && decision.to === 'ejected'))
    return undefined;
  const out = [...core.backends.keys()].filter((id) => statusOfBackend(core, id) === 'ejected');
  return out.length <= mostEjected(core)
    ? undefined
    : `${out.join()} are ejected, of ${mostEjected(core)} at most`;
}

/** Nobody is kept out for failing requests while there is nobody else to take them. */
function someoneIsHealthyWhileOneIsEjected(core: Core): string | undefined {
  const states = [...core.backends.keys()].map((id) => statusOfBackend(core, id));
  return states.includes('ejected') && !states.includes('healthy')
    ? 'a backend is ejected and none is healthy'
    : undefined;
}

/** A backend in slow start has less than its share, any other the whole of it. */
function sharesAreWhole(core: Core): string | undefined {
  for (const { backend, weight, effectiveWeight } of selectorOf(core).peers) {
    const pool = poolOf(core).backends.get(backend);
    if (effectiveWeight > weight || (pool !== undefined && pool.limit > pool.size))
      return `${backend} has more than its share`;
    const isWhole = effectiveWeight === weight && pool?.limit === pool?.size;
    if (!isWhole && !core.ramps.has(backend)) return `${backend} is kept short and is not in slow start`;
  }
  return undefined;
}

/** No request is sent over a socket that is older than sockets may get. */
function socketsAreYoung(core: Core, decisions: readonly Decision[]): string | undefined {
  const { maxLifetimeMs = 0 } = core.config.pool;
  if (maxLifetimeMs === 0) return undefined;
  for (const decision of decisions) {
    if (decision.type !== 'lease.granted') continue;
    const { openedAt } = poolOf(core).leases.get(decision.lease) ?? {};
    if (openedAt !== undefined && openedAt + maxLifetimeMs <= core.at)
      return `socket ${decision.socket} was leased at ${core.at - openedAt} ms`;
  }
  return undefined;
}

/** Every rule that can be judged by looking at one moment. */
const RULES: readonly Rule[] = [
  leasesBeginAtHealthyBackends,
  socketsAreHeldOnce,
  poolsStayWithinSize,
  leaseCountsAreTrue,
  leasesBelongToRequests,
  theLineIsInOrder,
  theSelectorIsUpToDate,
  nobodyWaitsInVain,
  nobodyIsOvertaken,
  drainingEnds,
  socketsAreYoung,
  sharesAreWhole,
  ejectionsStayWithinTheirShare,
  someoneIsHealthyWhileOneIsEjected,
];

export type Audit = {
  /** Judges one step. @returns every breach, in words; none if all is well */
  check(core: Core, fact: Fact, decisions: readonly Decision[]): string[];
  /** Requests that have been received and not ended yet. */
  readonly openRequests: ReadonlySet<number>;
  readonly openLeases: ReadonlyMap<number, string>;
};

/** An audit that has seen nothing yet; it has to see every step from the first. */
export function createAudit(): Audit {
  const openRequests = new Set<number>();
  const openLeases = new Map<number, string>();
  const everLeased = new Set<number>();
  let weightSum = 0;

  const end = (request: number): string[] =>
    openRequests.delete(request) ? [] : [`request ${request} ended twice, or was never received`];

  const follow = (decision: Decision): string[] => {
    switch (decision.type) {
      case 'socket.requested':
        return begin(decision.lease, decision.backend);
      case 'lease.granted':
        return decision.reused ? begin(decision.lease, decision.backend) : [];
      case 'lease.released':
        return openLeases.delete(decision.lease)
          ? []
          : [`lease ${decision.lease} was released twice, or never begun`];
      case 'request.rejected':
        return end(decision.request);
      default:
        return [];
    }
  };

  const begin = (lease: number, backend: string): string[] => {
    if (everLeased.has(lease)) return [`lease ${lease} was begun twice`];
    everLeased.add(lease);
    openLeases.set(lease, backend);
    return [];
  };

  return {
    openRequests,
    openLeases,
    check(core, fact, decisions) {
      if (fact.type === 'request.received') openRequests.add(fact.request);
      const drainingBefore = new Map(countDraining(core, openLeases));
      const breaches = decisions.flatMap(follow);
      for (const request of openRequests) if (!core.requests.has(request)) openRequests.delete(request);
      for (const request of core.requests.keys()) {
        if (!openRequests.has(request)) breaches.push(`request ${request} is under way after it ended`);
      }
      for (const [backend, count] of countDraining(core, openLeases)) {
        if (count > (drainingBefore.get(backend) ?? 0))
          breaches.push(`${backend} is draining and its leases rose`);
      }
      if (fact.type === 'response.started' && fact.held === true && isUndecided(core, fact))
        breaches.push(`the answer to request ${fact.request} is held back for good`);
      const sum = selectorOf(core).peers.reduce((total, { currentWeight }) => total + currentWeight, 0);
      // Only a config gives and takes current weight; a pick passes it round.
      if (!('config' in fact) && sum !== weightSum)
        breaches.push(`the current weights came to ${weightSum} and now to ${sum}`);
      weightSum = sum;
      for (const rule of RULES) {
        const breach = rule(core, decisions);
        if (breach !== undefined) breaches.push(breach);
      }
      return breaches;
    },
  };
}

/** Whoever holds an answer back waits for the core, which has to decide at once. */
function isUndecided(
  core: Core,
  { request, lease }: { readonly request: number; readonly lease: number },
): boolean {
  const state = core.requests.get(request);
  return (
    state?.lease === lease && state.phase !== 'answering' && poolOf(core).leases.get(lease)?.opened === true
  );
}

function countDraining(core: Core, openLeases: ReadonlyMap<number, string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const backend of openLeases.values()) {
    if (statusOfBackend(core, backend) === 'draining') counts.set(backend, (counts.get(backend) ?? 0) + 1);
  }
  return counts;
}
