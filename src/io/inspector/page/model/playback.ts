/** The clock of playback: how far recorded time has come when a real one has passed. */

export const SPEEDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100];

/** @returns the recorded time after `elapsedMs` of real time, and whether that is the end */
export function advanced(
  at: number,
  elapsedMs: number,
  speed: number,
  end: number,
): { readonly at: number; readonly isAtEnd: boolean } {
  const next = at + Math.max(0, elapsedMs) * speed;
  return next >= end ? { at: end, isAtEnd: true } : { at: next, isAtEnd: false };
}

/** @returns the next faster or slower speed, or the same at either end */
export function otherSpeed(speed: number, direction: 1 | -1): number {
  const index = SPEEDS.indexOf(speed);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index + direction))] ?? speed;
}

/**
 * A lower bound of the time at the gateway, from what its answers tell: the time of the last entry, and the second in
 * which it answered. It only grows, so that what is shown never steps back.
 */
export function createGatewayClock(): {
  /** @param known a time that has passed at the gateway @param localNow a steady clock of this page, in milliseconds */
  hear(known: number, localNow: number): void;
  /** Undefined until something was heard. */
  now(localNow: number): number | undefined;
} {
  let ahead: number | undefined;
  return {
    hear(known, localNow) {
      ahead = Math.max(ahead ?? Number.NEGATIVE_INFINITY, known - localNow);
    },
    now: (localNow) => (ahead === undefined ? undefined : localNow + ahead),
  };
}
