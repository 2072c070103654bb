/**
 * What a run of the record decided, entry by entry, in a few bytes each: whether a simulated course decides the same is
 * told by a hash of the decisions, and those that matter to people can be had back.
 */
import type { Decision } from '../actors/events.ts';
import { createColumn, createInterner } from './columns.ts';

export type Decided = {
  note(seq: number, at: number, decisions: readonly Decision[]): void;
  /** How many entries led to decisions, and the numbers of the first and the last noted. */
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** Whether the entry led to decisions. */
  has(seq: number): boolean;
  /** When that was; undefined if it led to none. */
  at(seq: number): number | undefined;
  /** Whether the entry led to these decisions at this time, letter for letter. */
  isSame(seq: number, at: number, decisions: readonly Decision[]): boolean;
  /** Its decisions that matter to people. */
  telling(seq: number): readonly Decision[];
};

const NONE: readonly Decision[] = [];
const MOST_UINT16 = 2 ** 16 - 1;
const MOST_UINT32 = 2 ** 32 - 1;

export function createDecided(): Decided {
  const times = createColumn((length) => new Float64Array(length));
  const hashes = createColumn((length) => new Float64Array(length));
  // Most entries that tell anything tell of one backend that was selected.
  const selected = createColumn((length) => new Uint16Array(length));
  const requests = createColumn((length) => new Uint32Array(length));
  const backends = createInterner();
  const others = new Map<number, readonly Decision[]>();
  let [count, first, last] = [0, 0, 0];

  const noteTelling = (seq: number, decisions: readonly Decision[]) => {
    const [one, ...more] = telling(decisions);
    if (one === undefined) return;
    const number = one.type === 'backend.selected' && more.length === 0 ? backends.numberOf(one.backend) : 0;
    if (
      one.type !== 'backend.selected' ||
      number === 0 ||
      number > MOST_UINT16 ||
      one.request > MOST_UINT32
    ) {
      others.set(seq, [one, ...more]);
      return;
    }
    selected.set(seq, number);
    requests.set(seq, one.request);
  };

  return {
    note(seq, at, decisions) {
      if (decisions.length === 0) return;
      if (count === 0) first = seq;
      last = seq;
      count += 1;
      times.set(seq, at);
      hashes.set(seq, hashOf(decisions));
      noteTelling(seq, decisions);
    },
    get count() {
      return count;
    },
    get first() {
      return first;
    },
    get last() {
      return last;
    },
    has: (seq) => hashes.get(seq) !== 0,
    at: (seq) => (hashes.get(seq) === 0 ? undefined : times.get(seq)),
    isSame: (seq, at, decisions) => times.get(seq) === at && hashes.get(seq) === hashOf(decisions),
    telling(seq) {
      const backend = backends.words[selected.get(seq) - 1];
      if (backend === undefined) return others.get(seq) ?? NONE;
      return [{ type: 'backend.selected', request: requests.get(seq), backend }];
    },
  };
}

/** The decisions that matter to people: which backend, which state, who waits, who is turned away. */
export function telling(decisions: readonly Decision[]): Decision[] {
  return decisions.filter(
    ({ type }) =>
      type === 'backend.changed' ||
      type === 'backend.selected' ||
      type === 'request.queued' ||
      type === 'request.rejected' ||
      type === 'request.retried',
  );
}

/** 53 bits of the decisions as JSON (two mixed hashes, after cyrb53); never 0. */
function hashOf(decisions: readonly Decision[]): number {
  const text = JSON.stringify(decisions);
  let one = 0xdeadbeef;
  let other = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x9e3779b1);
    other = Math.imul(other ^ code, 0x5f356495);
  }
  one = Math.imul(one ^ (one >>> 16), 0x85ebca6b) ^ Math.imul(other ^ (other >>> 13), 0xc2b2ae35);
  other = Math.imul(other ^ (other >>> 16), 0x85ebca6b) ^ Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return 2 ** 32 * (other & 0x1fffff) + (one >>> 0) || 1;
}
