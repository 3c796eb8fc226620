import type { Violation } from "./oracle.ts";
import type { PlantedBug } from "./planted_bug.ts";

/** `short` belongs to the tests and takes seconds; `full` is what `deno task faults NAME` runs; `long` is for a night. */
export type Scale = "short" | "full" | "long";

/** Something broken on purpose, and what must hold all the same. */
export interface Experiment {
  name: string;
  /** What is broken, and what must hold. */
  summary: string;
  run(options: ExperimentOptions): Promise<void>;
  /** It also runs on a Citus cluster. */
  runsOnCluster?: true;
}

export interface ExperimentOptions {
  /** Chooses ids, moments and victims. The scheduling of processes stays the system's own. */
  seed: number;
  scale: Scale;
  report: Report;
  /** A bug to plant before anything happens, to see whether the oracle notices. */
  plant?: PlantedBug | undefined;
  /** On the cluster that `CITUS_URL` names. */
  onCluster?: boolean | undefined;
}

/** What an experiment measured and what did not hold. */
export class Report {
  readonly figures = new Map<string, string | number>();
  readonly violations: Violation[] = [];
  readonly #isForBug: boolean;

  /** @param isForBug a bug is planted: that one promise breaks is all there is to see */
  constructor(isForBug = false) {
    this.#isForBug = isForBug;
  }

  /** The planted bug has been noticed: the rest of the experiment need not be waited for. */
  get hasNoticedBug(): boolean {
    return this.#isForBug && this.violations.length > 0;
  }

  figure(name: string, value: string | number): void {
    this.figures.set(name, value);
  }

  /** Notes what did not hold; the first time tells enough. */
  violate(rule: string, detail: string): void {
    if (this.violations.some((known) => known.rule === rule)) return;
    this.violations.push({ rule, detail });
  }

  /** Notes a violation unless the condition holds. */
  expect(holds: boolean, rule: string, detail: string): void {
    if (!holds) this.violate(rule, detail);
  }
}

/** Chooses a size by scale. */
export function sized<T>(scale: Scale, sizes: Record<Scale, T>): T {
  return sizes[scale];
}
