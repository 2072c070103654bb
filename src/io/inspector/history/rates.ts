/**
 * Counts of requests per bucket of time. Buckets are fine at first; when there are too many, each two become one, so
 * that memory is bounded whatever the length of the log.
 */
import type { Entry } from '../../../actors/events.ts';
import type { Rates } from '../api.ts';

const FIRST_BUCKET_MS = 100;
const MAX_BUCKETS = 8192;

type Series = number[];
type Shown = { readonly from?: number; readonly until?: number };

export class RateTable {
  #bucketMs = FIRST_BUCKET_MS;
  /** Number of the first bucket, counted from the epoch. */
  #first: number | undefined;
  #length = 0;
  readonly #placed = new Map<string, Series>();
  readonly #rejected: Series = [];
  readonly #failed: Series = [];
  readonly #waiting: Series = [];

  /** @param waiting requests in line after the entry */
  note({ at, fact, decisions }: Entry, waiting: number): void {
    const index = this.#indexOf(at);
    if (waiting > (this.#waiting[index] ?? 0)) this.#waiting[index] = waiting;
    if (fact.type === 'response.failed' || fact.type === 'socket.failed') add(this.#failed, index);
    for (const decision of decisions) {
      if (decision.type === 'backend.selected') add(this.#seriesOf(decision.backend), index);
      else if (decision.type === 'request.rejected') add(this.#rejected, index);
    }
  }

  /** Forgets buckets that end before this time. */
  forgetBefore(at: number): void {
    if (this.#first === undefined) return;
    const gone = Math.min(Math.floor(at / this.#bucketMs) - this.#first, this.#length);
    if (gone <= 0) return;
    this.#first += gone;
    this.#length -= gone;
    for (const [backend, series] of this.#placed) {
      series.splice(0, gone);
      if (!series.some((count) => count > 0)) this.#placed.delete(backend);
    }
    for (const series of [this.#rejected, this.#failed, this.#waiting]) series.splice(0, gone);
  }

  /**
   * @param most how many buckets at most
   * @param shown the time they are wanted of; all of it unless given
   */
  report(most: number, shown: Shown = {}): Rates {
    const first = this.#first ?? 0;
    const last = first + this.#length;
    const numberOf = (at: number, round: (value: number) => number) =>
      Math.min(last, Math.max(first, round(at / this.#bucketMs)));
    const begin = numberOf(shown.from ?? 0, Math.floor);
    const end = Math.max(begin, numberOf(shown.until ?? Number.POSITIVE_INFINITY, Math.ceil));
    const joined = Math.max(1, Math.ceil((end - begin) / most));
    // Where they begin does not depend on what is shown, so that they do not flicker while that moves.
    const start = Math.floor(begin / joined) * joined;
    const length = Math.ceil((end - start) / joined);
    const join = (series: Series, merge: (one: number, other: number) => number) => {
      const out = new Array<number>(length).fill(0);
      const until = Math.min(last, start + length * joined);
      for (let bucket = Math.max(first, start); bucket < until; bucket += 1) {
        const place = Math.floor((bucket - start) / joined);
        out[place] = merge(out[place] ?? 0, series[bucket - first] ?? 0);
      }
      return out;
    };
    return {
      from: start * this.#bucketMs,
      bucketMs: this.#bucketMs * joined,
      placed: Object.fromEntries([...this.#placed].map(([backend, series]) => [backend, join(series, sum)])),
      rejected: join(this.#rejected, sum),
      failed: join(this.#failed, sum),
      waiting: join(this.#waiting, Math.max),
    };
  }

  /** A clock that was set back counts into the first bucket there is. */
  #indexOf(at: number): number {
    const bucket = Math.floor(at / this.#bucketMs);
    this.#first ??= bucket;
    const index = Math.max(0, bucket - this.#first);
    if (index < MAX_BUCKETS) {
      this.#length = Math.max(this.#length, index + 1);
      return index;
    }
    this.#coarsen();
    return this.#indexOf(at);
  }

  #coarsen(): void {
    const first = this.#first ?? 0;
    const skew = first % 2;
    for (const series of [...this.#placed.values(), this.#rejected, this.#failed]) halve(series, skew, sum);
    halve(this.#waiting, skew, Math.max);
    this.#bucketMs *= 2;
    this.#first = Math.floor(first / 2);
    this.#length = Math.ceil((this.#length + skew) / 2);
  }

  #seriesOf(backend: string): Series {
    const series = this.#placed.get(backend) ?? [];
    this.#placed.set(backend, series);
    return series;
  }
}

function sum(one: number, other: number): number {
  return one + other;
}

/** What lies behind the end of a series, or in a hole of it, is zero. */
function add(series: Series, index: number): void {
  while (series.length < index) series.push(0);
  series[index] = (series[index] ?? 0) + 1;
}

function halve(series: Series, skew: number, merge: (one: number, other: number) => number): void {
  const length = Math.ceil((series.length + skew) / 2);
  for (let index = 0; index < length; index += 1) {
    const one = series[2 * index - skew] ?? 0;
    series[index] = merge(one, series[2 * index + 1 - skew] ?? 0);
  }
  series.length = length;
}
