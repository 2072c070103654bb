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
import { leaseOfSocket } from './pool.ts';

/** Failures at the connection, after which the backend has not begun to answer. */
const CONNECTION_LOSSES: readonly UpstreamFailure[] = ['refused', 'reset', 'closed'];

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
  return reason === 'refused' || reason === 'unresolved' || reason === 'tls'
    ? 'backend_unreachable'
    : 'backend_failed';
}

function reject(core: Core, request: RequestState, code: RejectionCode): void {
  core.decisions.push({ type: 'request.rejected', request: request.request, code, ...request.lastFailure });
  finish(core, request);
}

function wait(core: Core, request: RequestState): void {
  const { max, timeoutMs } = core.config.pool.queue;
  if (poolOf(core).waiting.length >= max) {
    reject(core, request, 'queue_full');
    return;
  }
  tellPool(core, { type: 'waitBegun', request: request.request });
  request.phase = 'waiting';
  const { length } = poolOf(core).waiting;
  const deadline = core.at + timeoutMs;
  core.decisions.push({ type: 'request.queued', request: request.request, length, deadline });
}

function finish(core: Core, request: RequestState): void {
  if (request.phase === 'waiting') tellPool(core, { type: 'waitEnded', request: request.request });
  core.requests.delete(request.request);
}

/**
 * Gives the room that has become free to those who wait, first come first served. Runs after every fact, so
 * that no request waits that could be served, and none for a backend that cannot come.
 */
export function serveWaiting(core: Core): void {
  if (poolOf(core).waiting.length === 0) return;
  for (const number of [...poolOf(core).waiting]) {
    const request = core.requests.get(number);
    if (request === undefined) continue;
    if (place(core, request)) tellPool(core, { type: 'waitEnded', request: number });
    else if (!canEverBePlaced(core, request)) rejectUnplaceable(core, request);
    // One that has tried nothing yet may go anywhere, so where it finds no room nobody behind it does.
    else if (request.tried.length === 0) return;
  }
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
  countFailure(core, entry.backend);
  if (answering) finish(core, request);
  else {
    const { backend, reused } = entry;
    retryOrReject(core, request, { backend, reason: fact.reason, reused, written: fact.written });
  }
}

export function failSocket(core: Core, fact: Extract<Fact, { type: 'socket.failed' }>): void {
  const entry = leaseOfSocket(poolOf(core), fact.socket);
  if (entry === undefined) return;
  tellPool(core, { type: 'socketClosed', backend: entry.backend, socket: fact.socket });
  const request = holderOf(core, entry.request, entry.lease);
  if (request === undefined) return;
  endLease(core, request, 'unopened');
  countFailure(core, entry.backend);
  const { backend } = entry;
  retryOrReject(core, request, { backend, reason: fact.reason, reused: false, written: false });
}

function countFailure(core: Core, id: string): void {
  const backend = core.backends.get(id);
  if (backend !== undefined) backend.failed += 1;
}

type Failure = { backend: string; reason: UpstreamFailure; reused: boolean; written: boolean };

/**
 * Whether a second backend may be asked: nothing was written; or the connection was lost before the first
 * response byte, the body is still at hand, and either the socket was a kept one (the backend most likely
 * closed it before it saw the request) or `retry.on` allows it.
 */
function isSafeToRetry(core: Core, request: RequestState, failure: Failure): boolean {
  if (request.attempts >= core.config.retry.attempts) return false;
  if (!failure.written) return true;
  if (!request.replayable || !CONNECTION_LOSSES.includes(failure.reason)) return false;
  return failure.reused || core.config.retry.on.includes('emptyResponse');
}

function retryOrReject(core: Core, request: RequestState, failure: Failure): void {
  const { backend, reason, reused } = failure;
  request.lastFailure = { backend, reason };
  request.tried.push(backend);
  if (!isSafeToRetry(core, request, failure)) {
    reject(core, request, rejectionFor(reason));
    return;
  }
  // A stale socket says nothing against its backend: where there is no other, ask it again over a new one.
  if (reused && !canEverBePlaced(core, request)) {
    request.tried = request.tried.filter((other) => other !== backend);
    request.fresh = true;
  }
  if (!canEverBePlaced(core, request)) {
    rejectUnplaceable(core, request);
    return;
  }
  request.attempts += 1;
  const attempt = request.attempts;
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
