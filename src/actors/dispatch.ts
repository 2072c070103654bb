/**
 * What happens to a request until it has a lease: it is placed on a backend, waits for one, or is rejected. Each request
 * that comes in ends exactly once, and each lease it got is released exactly once.
 */
import {
  type Core,
  poolOf,
  type RequestState,
  selectorOf,
  syncRoom,
  tellPool,
  tellSelector,
} from './core.ts';
import type { Fact, RejectionCode, UpstreamFailure } from './events.ts';
import { present } from './present.ts';
import { countRequest } from './retry-budget.ts';

/** Failures of a connection to come about at all. */
const UNREACHABLE: readonly UpstreamFailure[] = [
  'refused',
  'unresolved',
  'tls',
  'certExpired',
  'certWrongName',
  'certUntrusted',
  'exhausted',
];

/** Takes in a request and places it, lets it wait, or rejects it at once. */
export function admitRequest(core: Core, fact: Extract<Fact, { type: 'request.received' }>): void {
  const { request, replayable } = fact;
  if (core.requests.has(request)) return;
  if (core.budget !== undefined) countRequest(core.budget, core.config, core.at);
  const state: RequestState = {
    request,
    replayable,
    phase: 'new',
    lease: undefined,
    attempts: 0,
    tried: [],
    // A body that can be sent only once must not meet a kept socket that its backend has closed meanwhile.
    fresh: !replayable,
    lastFailure: undefined,
    queuedAt: 0,
    waitedMs: 0,
  };
  core.requests.set(request, state);
  if (core.phase === 'stopped') reject(core, state, 'gateway_stopping');
  else dispatch(core, state);
}

/** Places a request, lets it wait, or rejects it. */
export function dispatch(core: Core, request: RequestState): void {
  if (place(core, request)) return;
  if (!canEverBePlaced(core, request)) rejectUnplaceable(core, request);
  else wait(core, request);
}

/** Picks a backend by SWRR and begins a lease there; false if none is eligible. */
function place(core: Core, request: RequestState): boolean {
  tellSelector(core, { type: 'pick', exclude: request.tried, at: core.at });
  const backend = selectorOf(core).picked;
  if (backend === undefined) return false;
  core.decisions.push({ type: 'backend.selected', request: request.request, backend });
  const { request: number, fresh } = request;
  tellPool(core, { type: 'leaseWanted', backend, request: number, fresh, at: core.at });
  request.phase = 'leased';
  request.lease = poolOf(core).lastLease;
  const known = core.backends.get(backend);
  if (known !== undefined) known.total += 1;
  syncRoom(core, backend);
  return true;
}

/** Whether some backend would take the request if it had room. */
export function canEverBePlaced(core: Core, { tried }: RequestState): boolean {
  return selectorOf(core).peers.some(({ healthy, backend }) => healthy && !tried.includes(backend));
}

export function rejectUnplaceable(core: Core, request: RequestState): void {
  const failure = request.lastFailure;
  if (failure !== undefined) reject(core, request, rejectionFor(failure.reason));
  else
    reject(core, request, core.config.backends.length === 0 ? 'no_backend_configured' : 'no_healthy_backend');
}

export function rejectionFor(reason: UpstreamFailure): RejectionCode {
  if (reason === 'connectTimeout' || reason === 'headersTimeout' || reason === 'idleTimeout') {
    return 'backend_timeout';
  }
  return UNREACHABLE.includes(reason) ? 'backend_unreachable' : 'backend_failed';
}

/** @param withheld what kept it from being sent again, where that would have been safe */
export function reject(
  core: Core,
  request: RequestState,
  code: RejectionCode,
  withheld?: 'retryBudget',
): void {
  core.decisions.push({
    type: 'request.rejected',
    request: request.request,
    code,
    ...request.lastFailure,
    ...(withheld === undefined ? {} : { withheld }),
  });
  finish(core, request);
}

function wait(core: Core, request: RequestState): void {
  const { max, timeoutMs } = core.config.pool.queue;
  // The limit is for those who come; one that is in already and lost its backend is not sent away for it.
  if (poolOf(core).waiting.length >= max && request.lastFailure === undefined) {
    reject(core, request, 'queue_full');
    return;
  }
  tellPool(core, { type: 'waitBegun', request: request.request });
  request.phase = 'waiting';
  request.queuedAt = core.at;
  const { length } = poolOf(core).waiting;
  const deadline = core.at + Math.max(0, timeoutMs - request.waitedMs);
  core.decisions.push({ type: 'request.queued', request: request.request, length, deadline });
}

export function finish(core: Core, request: RequestState): void {
  if (request.phase === 'waiting') leaveLine(core, request);
  core.requests.delete(request.request);
}

/**
 * Gives the room that has become free to those who wait, first come first served. Runs after every fact that
 * freed room or changed who is healthy, so that no request waits that could be served, and none for a backend that
 * cannot come.
 */
export function serveWaiting(core: Core): void {
  const { news } = core;
  core.news = 'none';
  if (news === 'none') return;
  const { waiting } = poolOf(core);
  /** Sets of tried backends for which there was no room; within one run, room only shrinks. */
  const inVain = new Set<string>();
  let index = 0;
  for (let number = waiting[index]; number !== undefined; number = waiting[index]) {
    // Where a backend has fallen out, some may have nobody left to wait for, so all are looked at.
    if (news === 'roomFreed' && !isRoomAnywhere(core)) return;
    const request = present(core.requests.get(number), 'a request that waits');
    const tried = triedKey(request);
    if (inVain.has(tried)) index += 1;
    else if (place(core, request)) leaveLine(core, request);
    else if (!canEverBePlaced(core, request)) rejectUnplaceable(core, request);
    else inVain.add(tried);
  }
}

function isRoomAnywhere(core: Core): boolean {
  return selectorOf(core).peers.some(({ healthy, hasRoom }) => healthy && hasRoom);
}

function triedKey({ tried }: RequestState): string {
  return tried.length < 2 ? (tried[0] ?? '') : tried.join();
}

function leaveLine(core: Core, request: RequestState): void {
  request.waitedMs += core.at - request.queuedAt;
  tellPool(core, { type: 'waitEnded', request: request.request });
}

/** The time of a request in the queue is over. */
export function expireWait(core: Core, number: number): void {
  const request = core.requests.get(number);
  if (request?.phase === 'waiting') reject(core, request, 'queue_timeout');
}
