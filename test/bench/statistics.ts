/** Value below which `share` (0–1) of the numbers lie, by the nearest rank. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const rank = Math.max(0, Math.ceil(share * sorted.length) - 1);
  const value = sorted[rank];
  if (value === undefined) throw new Error('a percentile of no numbers');
  return value;
}

export const median = (numbers: readonly number[]): number => percentile(numbers, 0.5);
