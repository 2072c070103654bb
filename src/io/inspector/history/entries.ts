/** Pages of entries, filtered, and the way from one entry to the next. */
import type { Entry } from '../../../actors/events.ts';
import type { EntryPage, EntryQuery, StepTarget, StepTo } from '../api.ts';
import type { LogIndex } from './log-index.ts';
import type { Stretches } from './stretches.ts';

/** How many entries one answer looks through: a few stretches, so that it comes soon. */
const LOOKED_AT = 40_000;

type Direction = 'before' | 'after';

export class Entries {
  readonly #index: LogIndex;
  readonly #stretches: Stretches;

  constructor(index: LogIndex, stretches: Stretches) {
    this.#index = index;
    this.#stretches = stretches;
  }

  async page(query: EntryQuery & { readonly limit: number }): Promise<EntryPage> {
    const direction: Direction = query.after !== undefined && query.before === undefined ? 'after' : 'before';
    const { before = Number.MAX_SAFE_INTEGER, after = -1, limit } = query;
    const fits = filterOf(query);
    const found: Entry[] = [];
    let looked = 0;
    let edge: Entry | undefined;
    let start: Entry | undefined;
    for await (const entry of this.#walk(direction, direction === 'after' ? after : before)) {
      if (direction === 'before' && entry.seq <= after) break;
      start ??= entry;
      edge = entry;
      looked += 1;
      if (fits(entry)) found.push(entry);
      if (found.length >= limit || looked >= LOOKED_AT) break;
    }
    if (direction === 'before') found.reverse();
    const [from, until] = direction === 'before' ? [edge, start] : [start, edge];
    const at = direction === 'before' ? Math.min(before, this.#index.last?.seq ?? 0) : after;
    return this.#pageOf(found, from?.seq ?? at, until?.seq ?? at);
  }

  async step(seq: number, to: StepTo): Promise<StepTarget> {
    const direction: Direction = to === 'nextEntry' || to === 'nextChange' ? 'after' : 'before';
    if (to === 'nextChange' || to === 'previousChange') return this.#index.bands.changeNear(seq, direction);
    for await (const entry of this.#walk(direction, seq)) return { seq: entry.seq, at: entry.at };
    return null;
  }

  #pageOf(entries: readonly Entry[], from: number, until: number): EntryPage {
    const oldest = this.#index.keyframes.all[0]?.seq ?? 0;
    return {
      entries,
      searched: { from, until },
      hasBefore: from > oldest + 1,
      hasAfter: until < (this.#index.last?.seq ?? 0),
    };
  }

  #walk(direction: Direction, seq: number): AsyncGenerator<Entry> {
    return direction === 'after' ? this.#forwards(seq) : this.#backwards(seq);
  }

  /** All entries after this one. Stretches may be joined meanwhile, so the way is found anew after each. */
  async *#forwards(seq: number): AsyncGenerator<Entry> {
    const { keyframes } = this.#index;
    let last = seq;
    for (let next = keyframes.after(last); next !== undefined; next = keyframes.after(last)) {
      // As it is now: what is joined to it meanwhile is not among its entries.
      const end = next.last.seq;
      const { entries } = await this.#stretches.of(next);
      for (const entry of entries) {
        if (entry.seq <= last) continue;
        last = entry.seq;
        yield entry;
      }
      last = Math.max(last, end);
    }
  }

  /** All entries before this one, the last one first. */
  async *#backwards(seq: number): AsyncGenerator<Entry> {
    const { keyframes } = this.#index;
    let first = seq;
    for (let next = keyframes.before(first); next !== undefined; next = keyframes.before(first)) {
      const { entries } = await this.#stretches.of(next);
      for (let index = entries.length - 1; index >= 0; index -= 1) {
        const entry = entries[index];
        if (entry === undefined || entry.seq >= first) continue;
        first = entry.seq;
        yield entry;
      }
      first = Math.min(first, next.seq + 1);
    }
  }
}

function filterOf({ types, backend, request }: EntryQuery): (entry: Entry) => boolean {
  const wanted = types === undefined ? undefined : new Set(types);
  return (entry) => {
    const parts = [entry.fact, ...entry.decisions];
    if (wanted !== undefined && !parts.some(({ type }) => wanted.has(type))) return false;
    if (backend !== undefined && !parts.some((part) => names(part, backend))) return false;
    return request === undefined || parts.some((part) => 'request' in part && part.request === request);
  };
}

function names(part: Entry['fact'] | Entry['decisions'][number], backend: string): boolean {
  if ('backend' in part) return part.backend === backend;
  if (part.type === 'request.retried') return part.from === backend;
  if (part.type === 'config.applied') {
    return [part.added, part.removed, part.changed].some((ids) => ids.includes(backend));
  }
  return false;
}
