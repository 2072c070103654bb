/**
 * A timer whose time moves more often than it comes. Setting a timer for each request and moving it at each piece of an answer
 * would cost more than all else there. So it is left alone: where it goes off too early, it is set anew for what is left.
 */
import { MAX_TIMER_MS } from './config/ranges.ts';

export type LazyTimer = {
  /** To be called when the time may have come nearer than it was. */
  ensure(): void;
  /** It never goes off any more. */
  clear(): void;
};

/**
 * It keeps no process alive.
 *
 * @param dueAt when it is to go off, by `performance.now()`; infinite while it is not
 */
export function createLazyTimer(dueAt: () => number, onDue: () => void): LazyTimer {
  let timer: NodeJS.Timeout | undefined;
  let firesAt = Number.POSITIVE_INFINITY;
  let isCleared = false;

  const onTime = () => {
    firesAt = Number.POSITIVE_INFINITY;
    if (performance.now() >= dueAt()) onDue();
    else ensure();
  };
  const ensure = () => {
    const due = dueAt();
    if (due >= firesAt || isCleared) return;
    clearTimeout(timer);
    const now = performance.now();
    // What is longer than any timer of Node is set in parts.
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(due - now)));
    firesAt = now + delayMs;
    timer = setTimeout(onTime, delayMs).unref();
  };
  return {
    ensure,
    clear() {
      isCleared = true;
      clearTimeout(timer);
    },
  };
}
