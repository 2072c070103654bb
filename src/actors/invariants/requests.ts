/** What must hold of requests: the lease they have, and the line they wait in. */
import { type Core, poolOf, selectorOf } from '../core.ts';
import type { Decision, Fact } from '../events.ts';
import type { Peer } from '../selector.ts';

/** A request with a lease and the lease with its request know each other; no lease is without a request. */
export function leasesBelongToRequests(core: Core): string | undefined {
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
export function theLineIsInOrder(core: Core): string | undefined {
  const { waiting } = poolOf(core);
  let count = 0;
  for (const { phase } of core.requests.values()) if (phase === 'waiting') count += 1;
  let last = 0;
  let isInOrder = count === waiting.length;
  for (const request of waiting) {
    isInOrder &&= request > last && core.requests.get(request)?.phase === 'waiting';
    last = request;
  }
  return isInOrder ? undefined : `the line is ${waiting.join()}, and ${count} requests wait`;
}

/** Nobody waits who could be served, or for backends that are all out. */
export function nobodyWaitsInVain(core: Core): string | undefined {
  const { waiting } = poolOf(core);
  if (waiting.length === 0) return undefined;
  const healthy = selectorOf(core).peers.filter((peer) => peer.healthy);
  const open = healthy.filter((peer) => peer.hasRoom);
  for (const number of waiting) {
    const tried = core.requests.get(number)?.tried ?? [];
    const isOther = ({ backend }: Peer) => !tried.includes(backend);
    // Most have tried nothing, and need no look at each backend.
    if (tried.length === 0 ? healthy.length === 0 : !healthy.some(isOther))
      return `request ${number} waits and no backend can ever take it`;
    const free = open.length === 0 ? undefined : open.find(isOther);
    if (free !== undefined) return `request ${number} waits and ${free.backend} has room`;
  }
  return undefined;
}

/** First come, first served: nobody is given a backend that one who came earlier still waits for. */
export function nobodyIsOvertaken(core: Core, _: Fact, decisions: readonly Decision[]): string | undefined {
  const { waiting } = poolOf(core);
  if (waiting.length === 0) return undefined;
  for (const [index, decision] of decisions.entries()) {
    if (decision.type !== 'backend.selected') continue;
    const { request, backend } = decision;
    // Who is sent again had its turn before.
    if (decisions.some((other) => other.type === 'request.retried' && other.request === request)) continue;
    const later = decisions.slice(index).filter(({ type }) => type === 'request.queued');
    for (const number of waiting) {
      if (number >= request) break;
      if (later.some((other) => 'request' in other && other.request === number)) continue;
      if (core.requests.get(number)?.tried.includes(backend) !== true)
        return `request ${request} was given to ${backend}, for which request ${number} waits`;
    }
  }
  return undefined;
}

/** Nobody is sent where it has failed before, and nobody is in the line and served at once. */
export function nobodyIsSentTwice(core: Core, _: Fact, decisions: readonly Decision[]): string | undefined {
  for (const decision of decisions) {
    if (decision.type !== 'backend.selected') continue;
    const { request, backend } = decision;
    if (core.requests.get(request)?.tried.includes(backend) === true)
      return `request ${request} was given to ${backend}, where it had failed`;
  }
  return undefined;
}

/** Whoever holds an answer back waits for the core, which has to decide at once. */
export function heldAnswersAreDecided(core: Core, fact: Fact): string | undefined {
  if (fact.type !== 'response.started' || fact.held !== true) return undefined;
  const { request, lease } = fact;
  const state = core.requests.get(request);
  const isUndecided =
    state?.lease === lease && state.phase !== 'answering' && poolOf(core).leases.get(lease)?.opened === true;
  return isUndecided ? `the answer to request ${request} is held back for good` : undefined;
}
