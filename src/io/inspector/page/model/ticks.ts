/** Where the time axis has its ticks: round times of the local clock, as many as there is room for. */
import type { TimeWindow } from './time-window.ts';
import { clock, dayMonth, minuteClock, preciseClock } from './words.ts';

export type Tick = { readonly at: number; readonly label: string };

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 28].map((days) => days * DAY),
];

/** @param most how many ticks there is room for */
export function ticksOf({ from, until }: TimeWindow, most: number): Tick[] {
  const wanted = (until - from) / Math.max(1, most);
  const step = STEPS.find((each) => each >= wanted) ?? Math.ceil(wanted / (28 * DAY)) * 28 * DAY;
  // Round in local time, so that a tick a day apart falls on midnight.
  const zone = -new Date(from).getTimezoneOffset() * MINUTE;
  const ticks: Tick[] = [];
  for (let at = Math.ceil((from + zone) / step) * step - zone; at <= until; at += step) {
    ticks.push({ at, label: labelOf(at, step) });
  }
  return ticks;
}

function labelOf(at: number, step: number): string {
  if (step >= DAY) return dayMonth(at);
  if (step >= MINUTE) return minuteClock(at);
  return step >= SECOND ? clock(at) : preciseClock(at);
}
