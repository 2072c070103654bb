/**
 * Closes an idle connection shortly before its backend would, where the backend has said when that is: a request that meets
 * the backend's close on its way would be lost.
 */
import { KEEP_ALIVE_MARGIN_MS } from '../connection.ts';

/** No timer of Node is longer; one that is shorter than what is left is set again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export type IdleLimit = {
  /** The connection idles from now on. @returns false if it may not, since so little time is left */
  begin(timeoutMs: number | undefined): boolean;
  /** The connection is used again. */
  end(): void;
  /** The connection has closed. */
  clear(): void;
};

/** One timer for a connection, which is left alone while the connection is used and looks at the time when it goes off. */
export function createIdleLimit(close: () => void): IdleLimit {
  let due = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let firesAt = Number.POSITIVE_INFINITY;

  const onTime = () => {
    firesAt = Number.POSITIVE_INFINITY;
    if (performance.now() >= due) close();
    else ensure();
  };
  const ensure = () => {
    if (due >= firesAt) return;
    clearTimeout(timer);
    const now = performance.now();
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(due - now)));
    firesAt = now + delayMs;
    timer = setTimeout(onTime, delayMs).unref();
  };
  return {
    begin(timeoutMs) {
      if (timeoutMs === undefined) return true;
      if (timeoutMs <= KEEP_ALIVE_MARGIN_MS) return false;
      due = performance.now() + timeoutMs - KEEP_ALIVE_MARGIN_MS;
      ensure();
      return true;
    },
    end() {
      due = Number.POSITIVE_INFINITY;
    },
    clear() {
      clearTimeout(timer);
    },
  };
}
