/** Finds, among very many ids, those that someone may have meant: one that was cut short, or has a wrong letter. */

export type SimilarIds = {
  offer(id: string): void;
  /** The best, best first. */
  found(): string[];
};

const KEPT = 5;
const LEAST = 0.6;
/** A beginning or a part this long is enough to know an id by. */
const TELLING_LENGTH = 4;

export function createSimilarIds(wanted: string): SimilarIds {
  let best: { readonly id: string; readonly score: number }[] = [];
  return {
    offer(id) {
      const score = similarity(wanted, id);
      if (score < LEAST || best.some((other) => other.id === id)) return;
      const last = best.at(-1);
      if (best.length === KEPT && last !== undefined && last.score >= score) return;
      best.push({ id, score });
      best = best.sort((a, b) => b.score - a.score).slice(0, KEPT);
    },
    found: () => best.map(({ id }) => id),
  };
}

/** From 0 to 1. What two ids have in common at both ends finds any one mistake, and costs next to nothing. */
function similarity(wanted: string, id: string): number {
  const [short, long] = wanted.length < id.length ? [wanted, id] : [id, wanted];
  if (short.length >= TELLING_LENGTH && long.includes(short)) {
    return (long.startsWith(short) ? 0.9 : 0.8) + (0.1 * short.length) / long.length;
  }
  let start = 0;
  while (start < short.length && short[start] === long[start]) start += 1;
  let end = 0;
  while (end < short.length - start && short.at(-1 - end) === long.at(-1 - end)) end += 1;
  return (start + end) / long.length;
}
