/**
 * The states of each backend over time. A backend that changes all the time would fill memory and answers, so what is
 * shorter than can be seen is joined once there is too much of it.
 */
import type { Instant } from '../../../actors/explain/history.ts';
import type { Band, Span } from '../api.ts';

type State = Span['state'];
/** Without its end, which is where the next one begins. */
type Begun = { readonly from: number; readonly seq: number; readonly state: State; readonly reason: string };

const KEPT = 20_000;
const BACKENDS_KEPT = 1000;
const SENT = 4000;
const LEAST_SENT = 20;
/** Of states that are too short to be shown apart, the first of these is. */
const WORST_FIRST: readonly State[] = [
  'unhealthy',
  'ejected',
  'unknown',
  'draining',
  'drained',
  'healthy',
  'removed',
];

export class BandTable {
  readonly #bands = new Map<string, Begun[]>();

  /** A backend is in another state from here on. */
  change(backend: string, { seq, at }: Instant, state: State, reason: string): void {
    let band = this.#bands.get(backend);
    if (band === undefined) {
      if (this.#bands.size >= BACKENDS_KEPT) return;
      band = [];
      this.#bands.set(backend, band);
    }
    const last = band.at(-1);
    if (last?.state === state && last.reason === reason) return;
    band.push({ from: at, seq, state, reason });
    if (band.length > KEPT) this.#bands.set(backend, joinShort(band, KEPT / 2, at));
  }

  /** Nothing is known of any backend from here on. */
  interrupt(instant: Instant, reason: string): void {
    for (const [backend, band] of this.#bands) {
      if (band.at(-1)?.state !== 'removed') this.change(backend, instant, 'unknown', reason);
    }
  }

  /** Backends of which it is not known that they are gone. */
  *present(): Generator<string> {
    for (const [backend, band] of this.#bands) {
      if (band.at(-1)?.state !== 'removed') yield backend;
    }
  }

  forgetBefore({ at }: Instant): void {
    for (const [backend, band] of this.#bands) {
      const firstKept = band.findLastIndex(({ from }) => from <= at);
      if (firstKept > 0) band.splice(0, firstKept);
      const [only] = band;
      const isOver = only?.state === 'removed' || only?.state === 'unknown';
      if (band.length === 1 && isOver) this.#bands.delete(backend);
    }
  }

  /** The nearest entry before or after this one in which the state of any backend changed. */
  changeNear(seq: number, direction: 'before' | 'after'): Instant | null {
    let nearest: Begun | undefined;
    for (const band of this.#bands.values()) {
      const found =
        direction === 'after'
          ? band.find((span) => span.seq > seq && span.state !== 'unknown')
          : band.findLast((span) => span.seq < seq && span.state !== 'unknown');
      if (found === undefined) continue;
      const isNearer = nearest === undefined || found.seq < nearest.seq === (direction === 'after');
      if (isNearer) nearest = found;
    }
    return nearest === undefined ? null : { seq: nearest.seq, at: nearest.from };
  }

  /** @param end when the last state ends */
  report(end: number): Band[] {
    const most = Math.max(LEAST_SENT, Math.floor(SENT / Math.max(1, this.#bands.size)));
    return [...this.#bands].map(([backend, band]) => ({
      backend,
      spans: joinShort(band, most, end).map((span, index, all) => ({
        ...span,
        until: Math.max(span.from, all[index + 1]?.from ?? end),
      })),
    }));
  }
}

/** Joins what begins within the same part of the time, so that at most about `most` are left. */
function joinShort(band: readonly Begun[], most: number, end: number): Begun[] {
  const start = band[0]?.from;
  if (start === undefined || band.length <= most) return [...band];
  const resolution = Math.max(1, (end - start) / (most / 2));
  const joined: Begun[] = [];
  let cell = -1;
  let cellStart = 0;
  for (const span of band) {
    const here = Math.floor((span.from - start) / resolution);
    if (here !== cell) {
      cell = here;
      cellStart = joined.length;
      joined.push(span);
      continue;
    }
    // The worst of a cell stands for it, and the last one leads over to the next.
    const first = joined[cellStart];
    const last = joined[joined.length - 1];
    if (first !== undefined && last !== undefined && joined.length - cellStart > 1 && isWorse(last, first)) {
      joined[cellStart] = { ...last, from: first.from };
    }
    joined.length = cellStart + 1;
    joined.push(span);
  }
  return joined;
}

function isWorse(one: Begun, other: Begun): boolean {
  return WORST_FIRST.indexOf(one.state) < WORST_FIRST.indexOf(other.state);
}
