/** Figures of the selector: who was picked how often, and where the bar of a current weight stands. */
import type { InspectedBackend, Pick } from '../../api.ts';

/** @returns how many of the picks went to each backend */
export function countPicks(picks: readonly Pick[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { backend } of picks) counts.set(backend, (counts.get(backend) ?? 0) + 1);
  return counts;
}

/** A current weight stays within one round, the sum of all weights; bars are told in shares of it. */
export function greatestWeight(
  backends: readonly {
    readonly weight: number;
    readonly currentWeight: number;
    readonly eligibility: InspectedBackend['eligibility'];
  }[],
): number {
  const round = backends
    .filter(({ eligibility }) => eligibility === 'eligible')
    .reduce((sum, { weight }) => sum + weight, 0);
  return Math.max(1, round, ...backends.map(({ currentWeight }) => Math.abs(currentWeight)));
}

/** @returns where the bar begins and how long it is, as shares of the whole; its middle stands for zero */
export function weightBar(currentWeight: number, most: number): { start: number; length: number } {
  const length = Math.min(0.5, (Math.abs(currentWeight) / most) * 0.5);
  return { start: currentWeight < 0 ? 0.5 - length : 0.5, length };
}
