/** Stretches of time in which the probes of a backend say one thing. */

export type Spell = { readonly from: number; readonly to: number };
export type Verdict = { readonly at: number; readonly ok: boolean };

type Stretch = { readonly ok: boolean; readonly first: number; last: number };

const ALWAYS: Spell = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/**
 * @param verdicts in the order of their times
 * @returns for a moment the spell it lies in, bounds excluded: from the last probe before it that says otherwise to the
 *   first such one after it. Where the two probes next to the moment disagree, the change may lie on either side of it,
 *   and both their spells count.
 */
export function createSpells(verdicts: readonly Verdict[]): (at: number) => Spell {
  const stretches: Stretch[] = [];
  for (const { at, ok } of verdicts) {
    const last = stretches.at(-1);
    if (last?.ok === ok) last.last = at;
    else stretches.push({ ok, first: at, last: at });
  }
  /** Index of the last stretch that has begun. */
  const indexAt = (at: number) => {
    let low = 0;
    let high = stretches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((stretches[middle]?.first ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  };
  return (at) => {
    if (stretches.length < 2) return ALWAYS;
    const index = indexAt(at);
    const isBetween = at > (stretches[index]?.last ?? Infinity);
    return {
      from: stretches[index - 1]?.last ?? ALWAYS.from,
      to: stretches[index + (isBetween ? 2 : 1)]?.first ?? ALWAYS.to,
    };
  };
}
