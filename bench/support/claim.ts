import type { BenchServer } from "./server.ts";
import type { ProcessorUs } from "./processor.ts";
import { quantile, summarize, type Summary } from "./statistics.ts";

/** A claim about how fast something is, and how to measure it. */
export interface Claim {
  name: string;
  summary: string;
  run(bench: Bench): Promise<Figure[]>;
}

/** What a claim measures on. */
export interface Bench {
  server: BenchServer;
  /** The size that the claim is about; else one that takes seconds. */
  isFull: boolean;
  /** Tells how it goes. */
  say(text: string): void;
}

/** One measured line of the table. */
export interface Figure extends Summary {
  what: string;
  unit: string;
  /** What the project promised, in words; null for a figure that only informs. */
  target: string | null;
  isReached: boolean | null;
  /** Medians of the rounds, where they were measured. */
  processor?: { ours: ProcessorUs; peer?: ProcessorUs | undefined } | undefined;
}

/** A figure with a target: at least, or at most, so much in the median of the rounds. */
export function judge(
  what: string,
  unit: string,
  values: readonly number[],
  target: { atLeast: number } | { atMost: number },
): Figure {
  const summary = summarize(values);
  const isReached = "atLeast" in target ? summary.median >= target.atLeast : summary.median <= target.atMost;
  const words = "atLeast" in target ? `at least ${target.atLeast}${unit}` : `at most ${target.atMost}${unit}`;
  return { what, unit, target: words, isReached, ...summary };
}

/** Adds to a figure the processor time of an operation: ours, and the peer's. */
export function withProcessor(
  figure: Figure,
  ours: readonly ProcessorUs[],
  peer?: readonly ProcessorUs[],
): Figure {
  return { ...figure, processor: { ours: medianOf(ours), ...(peer && { peer: medianOf(peer) }) } };
}

function medianOf(rounds: readonly ProcessorUs[]): ProcessorUs {
  const median = (part: keyof ProcessorUs) =>
    quantile(rounds.map((round) => round[part]).toSorted((a, b) => a - b), 0.5);
  return { service: median("service"), database: median("database") };
}

/** A figure beside the claim. */
export function inform(what: string, unit: string, values: readonly number[]): Figure {
  return { what, unit, target: null, isReached: null, ...summarize(values) };
}
