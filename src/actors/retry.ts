/**
 * What becomes of a request whose attempt came to nothing, or to an answer that `retry.on` names: it is sent again where
 * that is safe, allowed and of use, else rejected or answered with what came.
 */
import { type Core, type RequestState, selectorOf } from './core.ts';
import { canEverBePlaced, dispatch, reject, rejectionFor, rejectUnplaceable } from './dispatch.ts';
import type { RetryCondition, RetryRefusal, UpstreamFailure } from './events.ts';
import type { Lease } from './pool.ts';
import { spendRetry } from './retry-budget.ts';
import { isWilling } from './selector.ts';

export type Failure = {
  readonly lease: Lease;
  readonly reason: UpstreamFailure;
  readonly written: boolean;
};

/** Failures at the connection, after which the backend has not begun to answer. */
const CONNECTION_LOSSES: readonly UpstreamFailure[] = ['refused', 'reset', 'closed'];

/** A kept socket that turned out to be gone: most likely its backend closed it before it saw the request. */
export function isStale({ lease, reason }: Failure): boolean {
  return lease.reused && CONNECTION_LOSSES.includes(reason);
}

/** What happened at an address the backend has left says nothing of the backend where it is now. */
export function isOfItsAddress({ unwanted }: Lease): boolean {
  return unwanted !== 'moved';
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

export function retryOrReject(core: Core, request: RequestState, failure: Failure): void {
  const { reason, lease } = failure;
  const { backend } = lease;
  const stale = isStale(failure);
  request.lastFailure = { backend, reason };
  if (isOfItsAddress(lease)) request.tried.push(backend);
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
  // Of what no backend has got no work is done twice.
  if (failure.written && !stale && !isInBudget(core)) {
    reject(core, request, rejectionFor(reason), 'retryBudget');
    return;
  }
  sendAgain(core, request, backend, reason);
}

function isInBudget({ budget, config, at }: Core): boolean {
  return budget === undefined || spendRetry(budget, config, at);
}

function sendAgain(
  core: Core,
  request: RequestState,
  from: string,
  reason: UpstreamFailure | `status ${number}`,
): void {
  const { attempts: attempt } = request;
  core.decisions.push({ type: 'request.retried', request: request.request, from, reason, attempt });
  dispatch(core, request);
}

/**
 * Why a request that was answered is not to be sent to another backend; undefined if it is. Only to one that can take it
 * at once: the answer is there, and to wait for another that may be no better is worse.
 */
export function refusalToResend(
  core: Core,
  request: RequestState,
  { status, backend }: { readonly status: number; readonly backend: string },
): RetryRefusal | undefined {
  const { attempts, on } = core.config.retry;
  if (!on.some((condition) => isStatus(condition, status))) return 'notConfigured';
  if (!request.replayable) return 'notReplayable';
  if (request.attempts >= attempts) return 'attemptsUsedUp';
  const exclude = [...request.tried, backend];
  if (!selectorOf(core).peers.some((peer) => isWilling(peer, exclude, core.at))) return 'noOtherBackend';
  return isInBudget(core) ? undefined : 'budgetExhausted';
}

function isStatus(condition: RetryCondition, status: number): boolean {
  return condition === String(status);
}

/** Sends a request again whose answer has been thrown away, and whose lease has ended. */
export function resend(core: Core, request: RequestState, backend: string, status: number): void {
  request.tried.push(backend);
  request.attempts += 1;
  sendAgain(core, request, backend, `status ${status}`);
}
