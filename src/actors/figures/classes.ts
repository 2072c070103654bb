/** How many kinds of answers and failures become few, so that figures have a bounded number of series. */
import type { UpstreamFailure } from '../events.ts';
import type { Outcome } from './figures.ts';

/** One series for all statuses that are sent elsewhere. */
export function withoutNumber(reason: UpstreamFailure | `status ${number}`): UpstreamFailure | 'status' {
  return isStatus(reason) ? 'status' : reason;
}

function isStatus(reason: UpstreamFailure | `status ${number}`): reason is `status ${number}` {
  return reason.startsWith('status ');
}

export function classOf(status: number): Outcome {
  if (status >= 200 && status < 300) return '2xx';
  if (status >= 400 && status < 500) return '4xx';
  if (status >= 500 && status < 600) return '5xx';
  if (status >= 300 && status < 400) return '3xx';
  return status >= 100 && status < 200 ? '1xx' : 'other';
}
