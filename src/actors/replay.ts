/**
 * Replay: recorded facts go through a fresh core, and what it decides is compared with what was recorded, letter for
 * letter. The first difference ends trust in everything after it, so it is kept apart.
 */
import { type Balancer, createBalancer } from './balancer.ts';
import type { Decision, Entry, Fact } from './events.ts';
import { type CoreSnapshot, takeSnapshot } from './snapshot.ts';

export type Divergence =
  | {
      readonly kind: 'decisions';
      readonly seq: number;
      readonly at: number;
      readonly fact: Fact;
      readonly recorded: readonly Decision[];
      readonly computed: readonly Decision[];
    }
  | {
      /** The state is another than the recorded hash says, though every decision was the same. */
      readonly kind: 'state';
      readonly seq: number;
      readonly at: number;
      readonly recorded: string;
      readonly computed: string;
    }
  | {
      /** The core cannot take the fact at all: it is not one that Reprise records. */
      readonly kind: 'failure';
      readonly seq: number;
      readonly at: number;
      readonly fact: Fact;
      readonly recorded: readonly Decision[];
      /** The error's message. */
      readonly computed: string;
    };

export type Replay = {
  /** Changes with `load`; look at it, do not step it. */
  readonly balancer: Balancer;
  /** Begins, or goes on after a gap, from a recorded state. */
  load(snapshot: CoreSnapshot): void;
  /**
   * Takes one entry.
   *
   * @param text the line it was read from up to the end of its decisions, if at hand; it saves making it again
   * @returns how the core's decisions differ, or undefined if they do not
   */
  take(entry: Entry, text?: string): Divergence | undefined;
  /** Compares the state with a recorded hash. */
  compare(seq: number, at: number, recorded: string): Divergence | undefined;
  /** The hash of the state now. */
  stateHash(): string;
};

/**
 * @param hash of the text of a state, the same function that recorded the log; given from outside, since the core
 *   may not import one
 */
export function createReplay(hash: (text: string) => string): Replay {
  let balancer = createBalancer();
  const stateHash = () => hash(JSON.stringify(takeSnapshot(balancer.core)));
  return {
    get balancer() {
      return balancer;
    },
    load(snapshot) {
      balancer = createBalancer(snapshot);
    },
    take({ seq, at, fact, decisions: recorded }, text) {
      let computed: readonly Decision[];
      try {
        computed = balancer.step(fact, at);
      } catch (error) {
        return { kind: 'failure', seq, at, fact, recorded, computed: String(error) };
      }
      const computedText = JSON.stringify(computed);
      if (text !== undefined && endsWithDecisions(text, computedText)) return undefined;
      if (computedText === JSON.stringify(recorded)) return undefined;
      return { kind: 'decisions', seq, at, fact, recorded, computed };
    },
    compare(seq, at, recorded) {
      const computed = stateHash();
      return computed === recorded ? undefined : { kind: 'state', seq, at, recorded, computed };
    },
    stateHash,
  };
}

const DECISIONS_MEMBER = ',"decisions":';

/** Quotes within a string are escaped, so what looks like the member is the member. */
function endsWithDecisions(text: string, decisions: string): boolean {
  const start = text.length - decisions.length;
  // Slices are compared three times as fast as `endsWith` does it.
  return (
    text.slice(start) === decisions && text.slice(start - DECISIONS_MEMBER.length, start) === DECISIONS_MEMBER
  );
}
