/**
 * What comes back over a lease, or comes to nothing: the lease ends, once, and with it the request, unless it is sent
 * again (`retry.ts`).
 */
import { type Core, poolOf, type RequestState, syncRoom, tellPool, tellSelector } from './core.ts';
import { finish } from './dispatch.ts';
import type { EvictionReason, Fact, LeaseOutcome } from './events.ts';
import { noteIfEmpty } from './fleet.ts';
import { noteAnswer, noteError } from './outlier.ts';
import { type Lease, leaseOfSocket } from './pool.ts';
import { present } from './present.ts';
import { type Failure, isOfItsAddress, isStale, refusalToResend, resend, retryOrReject } from './retry.ts';

/** Releases the lease of a request, if it has one. */
function endLease(core: Core, request: RequestState, outcome: LeaseOutcome, unwanted?: EvictionReason): void {
  const { lease } = request;
  if (lease === undefined) return;
  const { backend } = leaseNumbered(core, lease);
  request.lease = undefined;
  tellPool(core, { type: 'leaseEnded', lease, outcome, unwanted, at: core.at });
  syncRoom(core, backend);
  noteIfEmpty(core, backend);
}

/** A lease that a request holds, or has held until this step. */
function leaseNumbered(core: Core, lease: number): Lease {
  return present(poolOf(core).leases.get(lease), 'the lease of a request');
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
  if (request === undefined) return;
  // An answer begins once; what its client has a part of is neither held back nor thrown away.
  if (request.phase === 'answering') return;
  const entry = leaseNumbered(core, fact.lease);
  pauseIfAsked(core, entry, fact.retryAfterMs);
  if (fact.held === true) decideHeld(core, request, entry, fact.status);
  else request.phase = 'answering';
}

/** An answer of which the client has nothing yet: it is passed on, or the request is sent elsewhere. */
function decideHeld(core: Core, request: RequestState, entry: Lease, status: number): void {
  const { lease, backend } = entry;
  const because = refusalToResend(core, request, { status, backend });
  if (because !== undefined) {
    core.decisions.push({ type: 'response.passed', request: request.request, lease, because });
    request.phase = 'answering';
    return;
  }
  core.decisions.push({ type: 'response.discarded', request: request.request, lease, backend, status });
  // What is left of the answer is not waited for: it may be long, and the socket is worth less than the time.
  endLease(core, request, 'discarded', 'unusable');
  if (isOfItsAddress(entry)) noteAnswer(core, backend, status);
  resend(core, request, backend, status);
}

/** Heeds `Retry-After`, for no longer than an ejection may last: what a backend asks for may be a mistake. */
function pauseIfAsked(core: Core, entry: Lease, retryAfterMs: number | undefined): void {
  const { outlier } = core.config;
  if (retryAfterMs === undefined || outlier === undefined || !isOfItsAddress(entry)) return;
  const { backend } = entry;
  const until = core.at + Math.min(retryAfterMs, outlier.maxEjectionMs);
  tellSelector(core, { type: 'paused', backend, until });
  core.decisions.push({ type: 'backend.paused', backend, until });
}

export function endResponse(core: Core, fact: Extract<Fact, { type: 'response.ended' }>): void {
  const request = servedOver(core, fact.request, fact.lease);
  if (request === undefined) return;
  const entry = leaseNumbered(core, fact.lease);
  // The end of the lease comes first among the decisions: by it the figures tell that a fact was not too late.
  endLease(core, request, 'ended', fact.reusable ? undefined : 'unusable');
  pauseIfAsked(core, entry, fact.retryAfterMs);
  if (isOfItsAddress(entry)) noteAnswer(core, entry.backend, fact.status);
  finish(core, request);
}

export function failResponse(core: Core, fact: Extract<Fact, { type: 'response.failed' }>): void {
  const request = servedOver(core, fact.request, fact.lease);
  if (request === undefined) return;
  const entry = leaseNumbered(core, fact.lease);
  const answering = request.phase === 'answering';
  endLease(core, request, 'failed', 'unusable');
  const failure: Failure = { lease: entry, reason: fact.reason, written: fact.written };
  if (answering || !isStale(failure)) countFailure(core, failure);
  if (answering) finish(core, request);
  else retryOrReject(core, request, failure);
}

export function failSocket(core: Core, fact: Extract<Fact, { type: 'socket.failed' }>): void {
  const entry = leaseOfSocket(poolOf(core), fact.socket);
  if (entry === undefined) return;
  tellPool(core, { type: 'socketClosed', backend: entry.backend, socket: fact.socket });
  const request = present(holderOf(core, entry.request, entry.lease), 'the request that holds a lease');
  endLease(core, request, 'unopened');
  const failure: Failure = { lease: entry, reason: fact.reason, written: false };
  countFailure(core, failure);
  retryOrReject(core, request, failure);
}

function countFailure(core: Core, { lease, reason }: Failure): void {
  const backend = core.backends.get(lease.backend);
  if (backend === undefined) return;
  backend.failed += 1;
  // What the gateway itself had not enough of would eject one backend after the other.
  if (isOfItsAddress(lease) && reason !== 'exhausted') noteError(core, lease.backend, reason);
}

/** The client has gone: whatever the request held or waited for is given back. */
export function abortRequest(core: Core, number: number): void {
  const request = core.requests.get(number);
  if (request === undefined) return;
  const opened = request.lease !== undefined && leaseNumbered(core, request.lease).opened;
  endLease(core, request, opened ? 'aborted' : 'unopened', 'aborted');
  finish(core, request);
}
