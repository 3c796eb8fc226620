import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { carryOut, newSeed } from "./carry_out.ts";
import { experiments } from "./experiments.ts";
import { databaseBugs } from "./planted_bugs.ts";

describe("the oracle is turned red", () => {
  for (const plant of databaseBugs) {
    const [quickest] = plant.caughtBy;
    it(`by a planted bug, ${plant.name}, in ${quickest}`, async () => {
      const experiment = experiments.find(({ name }) => name === quickest);
      assert(experiment !== undefined, `there is no experiment ${quickest}`);
      const seed = newSeed();
      const { violations } = await carryOut(experiment, { seed, scale: "short", plant });
      const broken = violations.filter(({ rule }) => rule !== "the experiment comes to its end");
      assert(broken.length > 0, `no promise was broken with seed ${seed}`);
    });
  }
});
