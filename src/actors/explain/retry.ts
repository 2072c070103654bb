/** Why a request that lost its backend was sent again, or why not: the rule of `dispatch.ts`, in reasons. */
import type { RequestState } from '../core.ts';
import type { CoreConfig, UpstreamFailure } from '../events.ts';

export type RetryReason =
  /** Safe: the backend closed a kept socket before it saw the request. */
  | 'stale-socket'
  /** Safe: no byte of the request reached the backend. */
  | 'nothing-written'
  /** Allowed by `retry.on`: the connection was lost before the first byte of the answer. */
  | 'empty-response'
  /** Allowed by `retry.on`: the answer had a status of which the client had nothing yet. */
  | 'status-allowed'
  /** It would have been allowed, but so many are sent again already that the retry budget is used up. */
  | 'budget-used-up'
  /** Not safe: the backend had the request and may be at work on it. */
  | 'may-be-at-work'
  /** Not possible: the body was not kept. */
  | 'body-gone'
  /** `retry.on` does not have `emptyResponse`. */
  | 'not-allowed'
  /** `retry.attempts` is used up. */
  | 'attempts-used-up'
  /** It would have been safe, but no other healthy backend is left that has not failed the request. */
  | 'no-other-backend'
  /** The client has a part of the answer already. */
  | 'answer-begun';

export type FailureSeen = {
  readonly reason: UpstreamFailure;
  readonly written: boolean;
  readonly reused: boolean;
};

/**
 * @param before the request before the failure was taken in
 * @param retried what the core decided
 */
export function explainRetry(
  { reason, written, reused }: FailureSeen,
  before: Pick<RequestState, 'replayable' | 'attempts'>,
  { retry }: CoreConfig,
  { retried, withheld }: { readonly retried: boolean; readonly withheld: boolean },
): RetryReason {
  if (withheld) return 'budget-used-up';
  const isLoss = reason === 'refused' || reason === 'reset' || reason === 'closed';
  if (written && !isLoss) return 'may-be-at-work';
  if (written && !before.replayable) return 'body-gone';
  const isStale = reused && isLoss;
  if (!isStale && before.attempts >= retry.attempts) return 'attempts-used-up';
  if (!isStale && written && !retry.on.includes('emptyResponse')) return 'not-allowed';
  if (!retried) return 'no-other-backend';
  if (isStale) return 'stale-socket';
  return written ? 'empty-response' : 'nothing-written';
}
