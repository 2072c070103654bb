/**
 * Closes an idle connection shortly before its backend would, where the backend has said when that is: a request that meets
 * the backend's close on its way would be lost.
 */
import { KEEP_ALIVE_MARGIN_MS } from '../connection.ts';
import { createLazyTimer } from '../lazy-timer.ts';

export type IdleLimit = {
  /** The connection idles from now on. @returns false if it may not, since so little time is left */
  begin(timeoutMs: number | undefined): boolean;
  /** The connection is used again. */
  end(): void;
  /** The connection has closed. */
  clear(): void;
};

/** @param close called when the time is over */
export function createIdleLimit(close: () => void): IdleLimit {
  let due = Number.POSITIVE_INFINITY;
  const timer = createLazyTimer(() => due, close);
  return {
    begin(timeoutMs) {
      if (timeoutMs === undefined) return true;
      if (timeoutMs <= KEEP_ALIVE_MARGIN_MS) return false;
      due = performance.now() + timeoutMs - KEEP_ALIVE_MARGIN_MS;
      timer.ensure();
      return true;
    },
    end() {
      due = Number.POSITIVE_INFINITY;
    },
    clear: timer.clear,
  };
}
