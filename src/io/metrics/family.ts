/**
 * What a metric is before it is written in any format: a name by Prometheus' conventions, a sentence of help, and a way to
 * read its series when they are asked for. Nothing is kept for it between two scrapes.
 */
import type { Histogram } from '../../actors/figures/histogram.ts';

export type Labels = Readonly<Record<string, string>>;

export type Series = { readonly labels: Labels; readonly value: number };

export type Distribution = { readonly labels: Labels; readonly histogram: Histogram };

type Named = { readonly name: string; readonly help: string; readonly labels: readonly string[] };

export type Family<Source> = Named &
  (
    | { readonly type: 'counter' | 'gauge'; read(source: Source): Series[] }
    | { readonly type: 'histogram'; read(source: Source): Distribution[] }
  );

/** One series without labels. */
export function single(value: number): Series[] {
  return [{ labels: {}, value }];
}

/** One series for each word, under a label of this name. */
export function byWord(
  label: string,
  counts: Readonly<Record<string, number>>,
  labels: Labels = {},
): Series[] {
  return Object.entries(counts).map(([word, value]) => ({ labels: { ...labels, [label]: word }, value }));
}

/** A series for each of the words: 1 for the one that is the case, 0 for the others. */
export function oneHot(
  label: string,
  words: readonly string[],
  current: string,
  labels: Labels = {},
): Series[] {
  return words.map((word) => ({ labels: { ...labels, [label]: word }, value: word === current ? 1 : 0 }));
}
