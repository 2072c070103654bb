/**
 * Waits for requests with one id to pass and writes down the life of each. The id is an `X-Request-ID`, which several
 * requests may carry, a request's number, which is unique within a run only, or `seq:N` for the one that arrived in
 * entry N, which is unique.
 */
import type { Entry, Fact } from '../events.ts';
import { type Pick, watchPicks } from './candidates.ts';
import type { Life } from './life.ts';
import { createLifeBuilder, type LifeBuilder } from './life-builder.ts';
import type { Scene, Watcher } from './playback.ts';
import { createSimilarIds } from './similar.ts';

/** What the log has of one run of the gateway. */
export type RunSpan = {
  readonly run: number;
  readonly from: number;
  readonly until: number;
  /** Numbers of the first and the last request that arrived; null if none did. */
  readonly requests: { readonly first: number; readonly last: number } | null;
};

export type RequestReport = {
  /** In order of arrival. Beyond `MANY`, and beyond `KEPT`, see `total`, without their timelines. */
  readonly requests: readonly Life[];
  readonly total: number;
  /** Ids that may have been meant, if there is no such request. */
  readonly similar: readonly string[];
  readonly runs: readonly RunSpan[];
};

export type RequestWatch = Watcher & { report(): RequestReport };

/** Above this many they are listed, not told in full. */
export const MANY = 5;
const KEPT = 1000;

export function watchRequests(wanted: string): RequestWatch {
  /** Asked for by `X-Request-ID`, and by number or entry. */
  const named = createLives();
  const numbered = createLives();
  const similar = createSimilarIds(wanted);
  const runs = createRuns();
  let underWay: LifeBuilder[] = [];
  let stopPicks: (() => Pick[]) | undefined;

  const meet = (entry: Entry, fact: Extract<Fact, { type: 'request.received' }>, scene: Scene) => {
    const isNamed = fact.requestId === wanted;
    const isNumbered = String(fact.request) === wanted || `seq:${entry.seq}` === wanted;
    if (!isNamed && !isNumbered) {
      similar.offer(fact.requestId);
      return;
    }
    const builder = createLifeBuilder(entry, fact, scene);
    (isNamed ? named : numbered).add(builder);
    underWay.push(builder);
  };

  return {
    begin(scene) {
      for (const life of underWay) life.interrupt(scene);
      underWay = underWay.filter(({ outcome }) => outcome === undefined);
    },
    before(entry, scene) {
      runs.note(entry, scene);
      if (entry.fact.type === 'request.received') meet(entry, entry.fact, scene);
      if (underWay.length === 0) return;
      for (const life of underWay) life.before(entry, scene);
      if (underWay.some((life) => life.expectsPick(entry))) stopPicks = watchPicks(scene.core, scene.history);
    },
    after(entry, scene) {
      if (underWay.length === 0) return;
      const picks = stopPicks?.() ?? [];
      stopPicks = undefined;
      for (const life of underWay) life.after(entry, scene, picks);
      underWay = underWay.filter(({ outcome }) => outcome === undefined);
    },
    report() {
      const { lives, total } = named.isEmpty ? numbered.report() : named.report();
      return { requests: lives, total, similar: similar.found(), runs: runs.spans };
    },
  };
}

/** Keeps the first few whole, some more in short, and counts the rest. */
function createLives() {
  const builders: LifeBuilder[] = [];
  let total = 0;
  return {
    get isEmpty() {
      return total === 0;
    },
    add(builder: LifeBuilder): void {
      total += 1;
      if (builders.length >= KEPT) return;
      for (const other of builders.slice(MANY)) if (other.outcome !== undefined) other.shorten();
      builders.push(builder);
    },
    report: () => ({ lives: builders.map((builder) => builder.life()), total }),
  };
}

function createRuns() {
  const spans: {
    run: number;
    from: number;
    until: number;
    requests: { first: number; last: number } | null;
  }[] = [];
  return {
    spans,
    note({ at, fact }: Entry, { stretch: { run } }: Scene): void {
      let span = spans.at(-1);
      if (span?.run !== run) {
        span = { run, from: at, until: at, requests: null };
        spans.push(span);
      }
      span.until = at;
      if (fact.type !== 'request.received') return;
      if (span.requests === null) span.requests = { first: fact.request, last: fact.request };
      else span.requests.last = fact.request;
    },
  };
}
