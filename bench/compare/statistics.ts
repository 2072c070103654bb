/** Means and quantiles; the latter in the sense of the nearest rank. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @returns the standard error of the mean, or NaN of fewer than two values */
export function standardError(values: readonly number[]): number {
  const squares = values.map((value) => (value - mean(values)) ** 2);
  return Math.sqrt(mean(squares) / (values.length - 1));
}

/** @returns the value below which this share of them lies, or NaN of none */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @returns each value by the one of the same round */
export function ratios(values: readonly number[], others: readonly number[]): number[] {
  return values.map((value, round) => value / (others[round] ?? Number.NaN));
}
