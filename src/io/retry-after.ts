/** When a backend asks to be left alone for a while: `Retry-After` of its 429 and 503 (RFC 9110 §10.2.3). */
import type { RawHeaders } from '../streams/ports.ts';
import { firstValueOf } from './headers.ts';

/** Whoever asks for more is taken at his word for a day; the core bounds it further. */
const MOST_MS = 86_400_000;

/**
 * @param now milliseconds since the epoch, which a date is measured against
 * @returns how long in milliseconds, whole; undefined if nothing was asked for, or nothing that can be read
 */
export function retryAfterMs(status: number, headers: RawHeaders, now: () => number): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const value = firstValueOf(headers, 'retry-after');
  if (value === undefined) return undefined;
  const text = value.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : dateIn(text) - now();
  return Number.isNaN(wait) ? undefined : Math.min(MOST_MS, Math.max(0, Math.ceil(wait)));
}

/** Only what looks like a date of HTTP: `Date.parse` takes almost anything. */
function dateIn(text: string): number {
  return /^[A-Z][a-z]+, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT$/.test(text)
    ? Date.parse(text)
    : NaN;
}
