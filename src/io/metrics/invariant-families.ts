/** Metrics of what must always hold: how often it did not. */
import type { BreachReport } from '../breach-report.ts';
import { type Family, single } from './family.ts';

export type InvariantSource = { readonly invariants: Pick<BreachReport, 'count'> };

export const invariantFamilies: readonly Family<InvariantSource>[] = [
  {
    name: 'reprise_invariant_breaches_total',
    help: 'Breaches of what must always hold in the core, found by a look at it once a second at most; any is a mistake in Reprise.',
    labels: [],
    type: 'counter',
    read: ({ invariants }) => single(invariants.count),
  },
];
