import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { carryOut, commandOf, newSeed } from "./carry_out.ts";
import type { Experiment } from "./experiment.ts";

/** Declares the test of an experiment: what its short version promises holds. What fails prints its seed. */
export function testExperiment(experiment: Experiment, { onCluster = false } = {}): void {
  describe(`experiment ${experiment.name}${onCluster ? " on a cluster" : ""}`, () => {
    it(experiment.summary, async () => {
      const options = { seed: newSeed(), scale: "short", onCluster } as const;
      const { violations } = await carryOut(experiment, options);
      assertEquals(
        violations,
        [],
        `${JSON.stringify(violations, null, 2)}\nrepeat it with: ${commandOf(experiment, options)}`,
      );
    });
  });
}
