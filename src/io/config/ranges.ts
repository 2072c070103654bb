/** The ranges that many keys of the schema have in common, and their units. */

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const DAY_MS = 86_400_000;
/** Node fires a timer with a longer delay after 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const port = { format: 'wholeNumber', min: 0, max: 65535 } as const;
export const timerMs = { format: 'wholeNumber', min: 1, max: MAX_TIMER_MS } as const;
/** Intervals are jittered, so they keep well away from the limit of a timer. */
export const intervalMs = { format: 'wholeNumber', min: 10, max: DAY_MS } as const;
export const count = (min: number, max: number) => ({ format: 'wholeNumber', min, max }) as const;
