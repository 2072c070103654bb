/**
 * How long a backend may keep a request waiting: for the head of its answer, and then between two pieces of it. One
 * timer for each request, to the millisecond; undici's own count in half seconds and so are left off.
 */

export type ResponseTimeouts = {
  /** From the end of the request, or the last piece of it that was taken, to the head of the answer. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of the answer. */
  readonly idleTimeoutMs: number;
};

export type ResponseClock = {
  /** The request goes out. */
  sent(): void;
  /** There is progress: a piece was taken, or one has come. */
  progressed(): void;
  /** The head of the answer is there. */
  begun(): void;
  /** The client is slow and the backend has to wait. */
  paused(): void;
  resumed(): void;
  /** All is over. */
  stop(): void;
};

export type ResponseClockOptions = ResponseTimeouts & {
  /** Whether it is the client that is waited for, who has not sent all of the request. */
  readonly isClientsTurn: () => boolean;
  readonly onTimeout: (error: Error) => void;
};

export function createResponseClock(options: ResponseClockOptions): ResponseClock {
  const { headersTimeoutMs, idleTimeoutMs } = options;
  let timer: NodeJS.Timeout | undefined;
  let hasBegun = false;
  let isOver = false;
  const onTime = () => {
    if (!hasBegun && options.isClientsTurn()) timer?.refresh();
    else options.onTimeout(hasBegun ? idleTimeoutError() : headersTimeoutError());
  };
  return {
    sent() {
      timer = setTimeout(onTime, headersTimeoutMs);
    },
    progressed() {
      timer?.refresh();
    },
    begun() {
      hasBegun = true;
      if (idleTimeoutMs === headersTimeoutMs) {
        timer?.refresh();
        return;
      }
      clearTimeout(timer);
      timer = setTimeout(onTime, idleTimeoutMs);
    },
    paused() {
      clearTimeout(timer);
      timer = undefined;
    },
    resumed() {
      if (!isOver) timer ??= setTimeout(onTime, idleTimeoutMs);
    },
    stop() {
      isOver = true;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** With undici's own codes, since these take the place of its timers. */
function headersTimeoutError(): Error {
  return Object.assign(new Error('the answer did not begin in time'), { code: 'UND_ERR_HEADERS_TIMEOUT' });
}

function idleTimeoutError(): Error {
  return Object.assign(new Error('the answer stood still for too long'), { code: 'UND_ERR_BODY_TIMEOUT' });
}
