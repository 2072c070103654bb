/**
 * A record of when which part was hurt on purpose, so that what a client met can be told from a mistake: a broken-off
 * answer is excused only if its own backend was hurt while it was under way.
 */

export type Hurts = {
  /** Begins now; the function returned ends it. */
  begin(part: string): () => void;
  /** Whether the part was hurt at any time from `from` to now. */
  touched(part: string, from: number): boolean;
  readonly count: number;
};

/** For how long a hurt shows after it has ended: what was under way fails a little later, told by another process. */
const AFTERMATH_MS = 1_500;

type Span = { readonly part: string; until: number };

/** @param now a clock in milliseconds that never goes back */
export function createHurts(now: () => number): Hurts {
  const spans: Span[] = [];
  return {
    begin(part) {
      const span: Span = { part, until: Number.POSITIVE_INFINITY };
      spans.push(span);
      return () => {
        span.until = now() + AFTERMATH_MS;
      };
    },
    touched: (part, from) => spans.some((span) => span.part === part && span.until >= from),
    get count() {
      return spans.length;
    },
  };
}
