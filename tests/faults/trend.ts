/** A figure that must not grow for ever, with how much it may waver. */
export interface Bound {
  /** In parts of the earlier median. */
  ratio: number;
  /** In the figure's own unit: so that small figures may waver too. */
  slack: number;
}

/**
 * Compares the median of the last third of samples with that of the middle third: the first third is warming up. What
 * leaks grows in each third alike; what is merely busy does not.
 */
export function grows(samples: readonly number[], { ratio, slack }: Bound): boolean {
  const { earlier, later } = thirds(samples);
  return later > earlier * (1 + ratio) + slack;
}

/** The two medians that {@link grows} compares. */
export function thirds(samples: readonly number[]): { earlier: number; later: number } {
  const third = Math.floor(samples.length / 3);
  return { earlier: median(samples.slice(third, 2 * third)), later: median(samples.slice(2 * third)) };
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** The smallest sample that at least this part of all samples does not exceed; 0 of none. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

export function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
