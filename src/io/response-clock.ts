/**
 * How long a backend may keep a request waiting: for the head of its answer, and then between two pieces of it. Exact to
 * the millisecond. (undici's own timers count in half seconds; they are left off.)
 *
 * Each socket has one timer, and progress only notes the time.
 */
import { createLazyTimer } from './lazy-timer.ts';

export type ResponseTimeouts = {
  /** From the end of the request, the last piece of it that was taken, or an interim answer, to the head of the answer. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of the answer. */
  readonly idleTimeoutMs: number;
};

/** The request that a socket carries. */
export type TimedRequest = ResponseTimeouts & {
  /** Whether it is the client that is waited for, who has not sent all of the request. */
  isClientsTurn(): boolean;
  onTimeout(error: Error): void;
};

export type ResponseClock = {
  /** A request goes out. */
  sent(request: TimedRequest): void;
  /** There is progress: a piece was taken, or one has come. */
  progressed(): void;
  /** The head of the answer is there. */
  begun(): void;
  /** The client of this request is slow and the backend has to wait; late news of an earlier one counts for nothing. */
  paused(request: TimedRequest): void;
  resumed(request: TimedRequest): void;
  /** All is over with this request. */
  stop(request: TimedRequest): void;
  /** The socket has closed. Its timer is cleared: thousands of sockets may come and go within the time of one. */
  closed(): void;
};

/** @returns the clock of one socket, which carries one request at a time */
export function createResponseClock(): ResponseClock {
  let request: TimedRequest | undefined;
  let hasBegun = false;
  let isPaused = false;
  let limitMs = 0;
  let since = 0;

  const dueAt = () => {
    if (request === undefined || isPaused) return Number.POSITIVE_INFINITY;
    if (!hasBegun && request.isClientsTurn()) since = performance.now();
    return since + limitMs;
  };
  const timer = createLazyTimer(dueAt, () => {
    request?.onTimeout(hasBegun ? idleTimeoutError() : headersTimeoutError());
  });
  return {
    sent(next) {
      request = next;
      hasBegun = false;
      isPaused = false;
      limitMs = next.headersTimeoutMs;
      since = performance.now();
      timer.ensure();
    },
    progressed() {
      since = performance.now();
    },
    begun() {
      if (request === undefined) return;
      hasBegun = true;
      limitMs = request.idleTimeoutMs;
      since = performance.now();
      timer.ensure();
    },
    paused(of) {
      if (of === request) isPaused = true;
    },
    resumed(of) {
      if (of !== request || !isPaused) return;
      isPaused = false;
      since = performance.now();
      timer.ensure();
    },
    stop(of) {
      if (of === request) request = undefined;
    },
    closed: timer.clear,
  };
}

/** With the codes of undici, which `failures.ts` knows and undici's own timers would give. */
function headersTimeoutError(): Error {
  return Object.assign(new Error('the answer did not begin in time'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
}

function idleTimeoutError(): Error {
  return Object.assign(new Error('the answer stood still for too long'), { code: 'UND_ERR_BODY_TIMEOUT' });
}
