/**
 * How long a backend that fails real requests is ejected, as Envoy counts it: the base time multiplied by the number of its
 * ejections, up to a maximum. One ejection is forgotten for each base time that it has not been ejected since.
 */
import type { CoreConfig, OutlierSettings } from './events.ts';
import { present } from './present.ts';

type Past = {
  readonly outlier: OutlierSettings | undefined;
  readonly consecutiveErrors: number;
  readonly timesEjected: number;
  readonly ejectedUntil: number | undefined;
};

export type Ejection = { timesEjected: number; ejectedUntil: number; reason: string };

/**
 * @param past the backend before the failure that ejects it
 * @param failure the last one; `at` in milliseconds since the epoch
 */
export function ejectionOf(
  past: Past,
  { at, reason }: { readonly at: number; readonly reason: string },
): Ejection {
  const { consecutiveErrors, ejectedUntil = at } = past;
  const { baseEjectionMs, maxEjectionMs } = present(past.outlier, 'what ejects backends');
  // An ejection that was cut short leaves its end in the time to come: no time in has passed then.
  const forgotten = Math.max(0, Math.floor((at - ejectedUntil) / baseEjectionMs));
  const longestMs = Math.max(baseEjectionMs, maxEjectionMs);
  // Counting stops where the time does: a backend that was bad for a day need not be good for a day to be trusted again.
  const timesEjected = Math.min(
    Math.max(0, past.timesEjected - forgotten) + 1,
    Math.ceil(longestMs / baseEjectionMs),
  );
  const lastsMs = Math.min(baseEjectionMs * timesEjected, longestMs);
  return {
    timesEjected,
    ejectedUntil: at + lastsMs,
    reason: `${inWords(consecutiveErrors + 1, reason)}; out for ${lastsMs / 1000} s`,
  };
}

function inWords(errors: number, reason: string): string {
  return errors === 1
    ? `a request failed with: ${reason}`
    : `${errors} requests in a row failed, the last with: ${reason}`;
}

/** The settings of a config under which backends are ejected at all, if it has any. */
export function outlierOf({ outlier }: CoreConfig): OutlierSettings | undefined {
  return outlier === undefined || outlier.consecutiveFailures === 0 ? undefined : outlier;
}

export function isSameOutlier(one: OutlierSettings | undefined, other: OutlierSettings | undefined): boolean {
  return (
    one?.consecutiveFailures === other?.consecutiveFailures &&
    one?.baseEjectionMs === other?.baseEjectionMs &&
    one?.maxEjectionMs === other?.maxEjectionMs &&
    one?.maxEjectedShare === other?.maxEjectedShare
  );
}
