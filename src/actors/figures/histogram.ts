/** A histogram with fixed buckets: observing costs a few comparisons, and the same observations give the same sums. */
import { present } from '../present.ts';

export type Histogram = {
  /** Upper bounds, inclusive and rising, in milliseconds. */
  readonly boundsMs: readonly number[];
  /** Observations in each bucket and, last, beyond all bounds; not cumulative. */
  readonly counts: number[];
  sumMs: number;
};

export function createHistogram(boundsMs: readonly number[]): Histogram {
  return { boundsMs, counts: new Array<number>(boundsMs.length + 1).fill(0), sumMs: 0 };
}

export function observe(histogram: Histogram, ms: number): void {
  const { boundsMs, counts } = histogram;
  let index = 0;
  for (const boundMs of boundsMs) {
    if (ms <= boundMs) break;
    index += 1;
  }
  counts[index] = present(counts[index], 'a bucket') + 1;
  histogram.sumMs += ms;
}
