/**
 * What happens to a request: it is placed on a backend, waits for one, is retried on another, or is rejected.
 * Each request that comes in ends exactly once, and each lease it got is released exactly once.
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
import type { EvictionReason, Fact, LeaseOutcome, RejectionCode, UpstreamFailure } from './events.ts';
import { noteIfEmpty } from './fleet.ts';
import { type Lease, leaseOfSocket } from './pool.ts';

/** Failures at the connection, after which the backend has not begun to answer. */
const CONNECTION_LOSSES: readonly UpstreamFailure[] = ['refused', 'reset', 'closed'];

/** Failures of a connection to come about at all. */
const UNREACHABLE: readonly UpstreamFailure[] = [
  'refused',
  'unresolved',
  'tls',
  'certExpired',
  'certWrongName',
  'certUntrusted',
];

/** Takes in a request and places it, lets it wait, or rejects it at once. */
export function admitRequest(core: Core, fact: Extract<Fact, { type: 'request.received' }>): void {
  const { request, replayable } = fact;
  if (core.requests.has(request)) return;
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

function dispatch(core: Core, request: RequestState): void {
  if (place(core, request)) return;
  if (!canEverBePlaced(core, request)) rejectUnplaceable(core, request);
  else wait(core, request);
}

/** Picks a backend by SWRR and begins a lease there; false if none is eligible. */
function place(core: Core, request: RequestState): boolean {
  tellSelector(core, { type: 'pick', exclude: request.tried });
  const backend = selectorOf(core).picked;
  if (backend === undefined) return false;
  core.decisions.push({ type: 'backend.selected', request: request.request, backend });
  tellPool(core, { type: 'leaseWanted', backend, request: request.request, fresh: request.fresh });
  request.phase = 'leased';
  request.lease = poolOf(core).lastLease;
  const known = core.backends.get(backend);
  if (known !== undefined) known.total += 1;
  syncRoom(core, backend);
  return true;
}

/** Whether some backend would take the request if it had room. */
function canEverBePlaced(core: Core, { tried }: RequestState): boolean {
  return selectorOf(core).peers.some(({ healthy, backend }) => healthy && !tried.includes(backend));
}

function rejectUnplaceable(core: Core, request: RequestState): void {
  const failure = request.lastFailure;
  if (failure !== undefined) reject(core, request, rejectionFor(failure.reason));
  else
    reject(core, request, core.config.backends.length === 0 ? 'no_backend_configured' : 'no_healthy_backend');
}

function rejectionFor(reason: UpstreamFailure): RejectionCode {
  if (reason === 'connectTimeout' || reason === 'headersTimeout' || reason === 'idleTimeout') {
    return 'backend_timeout';
  }
  return UNREACHABLE.includes(reason) ? 'backend_unreachable' : 'backend_failed';
}

function reject(core: Core, request: RequestState, code: RejectionCode): void {
  core.decisions.push({ type: 'request.rejected', request: request.request, code, ...request.lastFailure });
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

function finish(core: Core, request: RequestState): void {
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
  for (let index = 0; index < waiting.length; ) {
    if (news === 'roomFreed' && !isRoomAnywhere(core)) return;
    const request = core.requests.get(waiting[index] ?? 0);
    const tried = request === undefined ? '' : triedKey(request);
    if (request === undefined || inVain.has(tried)) index += 1;
    else if (place(core, request)) leaveLine(core, request);
    else if (!canEverBePlaced(core, request)) rejectUnplaceable(core, request);
    // One that has tried nothing yet may go anywhere, so where it finds no room nobody behind it does. But of those
    // behind, some may have nobody left to wait for when a backend has fallen out.
    else if (tried === '' && news === 'roomFreed') return;
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

/** Releases the lease of a request, if it has one. */
function endLease(core: Core, request: RequestState, outcome: LeaseOutcome, unwanted?: EvictionReason): void {
  if (request.lease === undefined) return;
  const entry = poolOf(core).leases.get(request.lease);
  const lease = request.lease;
  request.lease = undefined;
  if (entry === undefined) return;
  tellPool(core, { type: 'leaseEnded', lease, outcome, unwanted, at: core.at });
  syncRoom(core, entry.backend);
  noteIfEmpty(core, entry.backend);
}

/** The request that holds this lease now; a fact about an earlier lease is late and means nothing. */
function holderOf(core: Core, number: number, lease: number): RequestState | undefined {
  const request = core.requests.get(number);
  return request?.lease === lease ? request : undefined;
}

/** The request that is being served over this lease; nothing can come back over a socket that is not open yet. */
function servedOver(core: Core, number: number, lease: number): RequestState | undefined {
  return poolOf(core).leases.get(lease)?.opened === true ? holderOf(core, number, lease) : undefined;
}

export function beginResponse(core: Core, fact: Extract<Fact, { type: 'response.started' }>): void {
  const request = servedOver(core, fact.request, fact.lease);
  if (request !== undefined) request.phase = 'answering';
}

export function endResponse(core: Core, fact: Extract<Fact, { type: 'response.ended' }>): void {
  const request = servedOver(core, fact.request, fact.lease);
  if (request === undefined) return;
  endLease(core, request, 'ended', fact.reusable ? undefined : 'unusable');
  finish(core, request);
}

export function failResponse(core: Core, fact: Extract<Fact, { type: 'response.failed' }>): void {
  const request = servedOver(core, fact.request, fact.lease);
  if (request === undefined) return;
  const entry = poolOf(core).leases.get(fact.lease);
  const answering = request.phase === 'answering';
  endLease(core, request, 'failed', 'unusable');
  if (entry === undefined) return;
  const failure: Failure = { lease: entry, reason: fact.reason, written: fact.written };
  if (answering || !isStale(failure)) countFailure(core, entry.backend);
  if (answering) finish(core, request);
  else retryOrReject(core, request, failure);
}

export function failSocket(core: Core, fact: Extract<Fact, { type: 'socket.failed' }>): void {
  const entry = leaseOfSocket(poolOf(core), fact.socket);
  if (entry === undefined) return;
  tellPool(core, { type: 'socketClosed', backend: entry.backend, socket: fact.socket });
  const request = holderOf(core, entry.request, entry.lease);
  if (request === undefined) return;
  endLease(core, request, 'unopened');
  countFailure(core, entry.backend);
  retryOrReject(core, request, { lease: entry, reason: fact.reason, written: false });
}

function countFailure(core: Core, id: string): void {
  const backend = core.backends.get(id);
  if (backend !== undefined) backend.failed += 1;
}

type Failure = { readonly lease: Lease; readonly reason: UpstreamFailure; readonly written: boolean };

/** A kept socket that turned out to be gone: most likely its backend closed it before it saw the request. */
function isStale({ lease, reason }: Failure): boolean {
  return lease.reused && CONNECTION_LOSSES.includes(reason);
}

/**
 * Whether the request may be sent again: nothing of it was written; or the connection was lost before the first
 * response byte, the body is still at hand, and either the socket was stale or `retry.on` allows it.
 *
 * A stale socket does not use up an attempt. It happens once to a request, since the next socket is a new one.
 */
function isSafeToRetry(core: Core, request: RequestState, failure: Failure): boolean {
  if (failure.written && !(request.replayable && CONNECTION_LOSSES.includes(failure.reason))) return false;
  if (isStale(failure)) return true;
  if (request.attempts >= core.config.retry.attempts) return false;
  return !failure.written || core.config.retry.on.includes('emptyResponse');
}

function retryOrReject(core: Core, request: RequestState, failure: Failure): void {
  const { reason, lease } = failure;
  const { backend } = lease;
  const stale = isStale(failure);
  request.lastFailure = { backend, reason };
  // What failed at an address the backend has left says nothing of the backend where it is now.
  if (lease.unwanted !== 'moved') request.tried.push(backend);
  if (!isSafeToRetry(core, request, failure)) {
    reject(core, request, rejectionFor(reason));
    return;
  }
  if (stale) request.fresh = true;
  else request.attempts += 1;
  // A stale socket says nothing against its backend: where there is no other, ask it again over a new one.
  if (stale && !canEverBePlaced(core, request)) {
    request.tried = request.tried.filter((other) => other !== backend);
  }
  if (!canEverBePlaced(core, request)) {
    rejectUnplaceable(core, request);
    return;
  }
  const { attempts: attempt } = request;
  core.decisions.push({ type: 'request.retried', request: request.request, from: backend, reason, attempt });
  dispatch(core, request);
}

/** The client has gone: whatever the request held or waited for is given back. */
export function abortRequest(core: Core, number: number): void {
  const request = core.requests.get(number);
  if (request === undefined) return;
  const opened = request.lease !== undefined && poolOf(core).leases.get(request.lease)?.opened === true;
  endLease(core, request, opened ? 'aborted' : 'unopened', 'aborted');
  finish(core, request);
}

/** The time of a request in the queue is over. */
export function expireWait(core: Core, number: number): void {
  const request = core.requests.get(number);
  if (request?.phase === 'waiting') reject(core, request, 'queue_timeout');
}
