import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { carryOut, commandOf, newSeed } from "./carry_out.ts";
import { experiments } from "./experiments.ts";

/** Every experiment's short version, whoever adds one. What fails prints its seed. */
for (const experiment of experiments) {
  describe(`experiment ${experiment.name}`, () => {
    it(experiment.summary, async () => {
      const options = { seed: newSeed(), scale: "short" } as const;
      const { violations } = await carryOut(experiment, options);
      assertEquals(violations, [], `repeat it with: ${commandOf(experiment, options)}`);
    });
  });
}
