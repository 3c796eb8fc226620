/** What was seen over the rounds. */
export interface Summary {
  median: number;
  least: number;
  most: number;
  rounds: number;
}

/** Sums up measurements. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    least: quantile(sorted, 0),
    most: quantile(sorted, 1),
    rounds: sorted.length,
  };
}

/** A value of sorted ones, between neighbours by their distance. NaN of none. */
export function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** The quotients round by round: two that were measured one after the other share the machine's mood. */
export function ratios(numerators: readonly number[], denominators: readonly number[]): number[] {
  return numerators.map((numerator, round) => numerator / (denominators[round] ?? NaN));
}
