/** Requests per second as areas one upon the other, in pixels of the plot; the first backend is at the bottom. */
import type { Rates } from '../../api.ts';
import { type TimeWindow, xOf } from './time-window.ts';

const PIXELS_PER_BUCKET = 3;
/** In shorter ones a steady load of a few requests per second looks like a comb. */
const MIN_BUCKET_MS = 500;
const FEWEST_BUCKETS = 10;
const MOST_BUCKETS = 600;

/** @returns into how many buckets so much time is best divided for a picture of this width */
export function bucketsFor(width: number, spanMs: number): number {
  const wanted = Math.min(Math.round(width / PIXELS_PER_BUCKET), Math.floor(spanMs / MIN_BUCKET_MS));
  return Math.min(MOST_BUCKETS, Math.max(FEWEST_BUCKETS, wanted));
}

/** One point per bucket that is in sight: its left edge and its value per second. */
export type Column = { readonly x: number; readonly right: number; readonly value: number };

/** @returns the buckets of one series that are in sight */
export function columnsOf(
  values: readonly number[],
  { from, bucketMs }: Pick<Rates, 'from' | 'bucketMs'>,
  shown: TimeWindow,
  width: number,
  scale: 'perSecond' | 'count',
): Column[] {
  const first = Math.max(0, Math.floor((shown.from - from) / bucketMs));
  const end = Math.min(values.length, Math.ceil((shown.until - from) / bucketMs));
  const columns: Column[] = [];
  for (let index = first; index < end; index += 1) {
    const start = from + index * bucketMs;
    columns.push({
      x: Math.max(0, xOf(start, shown, width)),
      right: Math.min(width, xOf(start + bucketMs, shown, width)),
      value: scale === 'count' ? (values[index] ?? 0) : ((values[index] ?? 0) * 1000) / bucketMs,
    });
  }
  return columns;
}

/** @returns for each bucket the sum over all series */
export function sumOf(series: Iterable<readonly number[]>): number[] {
  const sums: number[] = [];
  for (const values of series) {
    for (const [index, value] of values.entries()) sums[index] = (sums[index] ?? 0) + value;
  }
  return sums;
}

/** @returns the path of a stepped area between two series of columns; empty if there is nothing above the lower one */
export function areaOf(
  lower: readonly Column[] | null,
  upper: readonly Column[],
  ceiling: number,
  height: number,
): string {
  if (!upper.some(({ value }, index) => value > (lower?.[index]?.value ?? 0))) return '';
  const y = (value: number) => round(height - (Math.min(value, ceiling) / ceiling) * height);
  const there = upper.map(({ x, right, value }) => `${round(x)} ${y(value)}H${round(right)}`).join('L');
  const back = [...upper.keys()]
    .reverse()
    .map((index) => {
      const { x = 0, right = 0 } = upper[index] ?? {};
      return `${round(right)} ${y(lower?.[index]?.value ?? 0)}H${round(x)}`;
    })
    .join('L');
  return `M${there}L${back}Z`;
}

/** @returns the columns of `upper` with those of `lower` beneath them */
export function stacked(lower: readonly Column[] | null, upper: readonly Column[]): Column[] {
  return upper.map((column, index) => ({ ...column, value: column.value + (lower?.[index]?.value ?? 0) }));
}

export function greatest(columns: readonly Column[]): number {
  return columns.reduce((most, { value }) => Math.max(most, value), 0);
}

const ROUND_STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** @returns the least round number that is not below */
export function niceCeiling(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ROUND_STEPS.map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
