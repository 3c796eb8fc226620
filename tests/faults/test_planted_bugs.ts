import { assert } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { plantIn, type Planting } from "./plant.ts";
import type { KnownBug } from "./planted_bug.ts";
import { sideBySide } from "./side_by_side.ts";

/** An experiment mostly waits; that of another bug goes on meanwhile. */
const AT_ONCE = 2;

/** Declares a test for each bug that is no extra: the quickest of the experiments that are said to notice it does. */
export function testPlantedBugs(knownBugs: readonly KnownBug[]): void {
  const bugs = knownBugs.filter(({ isExtra }) => !isExtra);
  describe("the oracle is turned red", () => {
    let plantings: Promise<Planting>[] = [];
    beforeAll(() => {
      plantings = sideBySide(bugs, AT_ONCE, (bug) => plantIn(bug.caughtBy[0], bug));
    });

    for (const [index, { name, caughtBy: [quickest], breaks }] of bugs.entries()) {
      it(`by a planted bug, ${name}, in ${quickest}`, async () => {
        const planting = await plantings[index];
        assert(
          planting?.broken.some(({ rule }) => breaks === undefined || rule === breaks),
          `${breaks ?? "no promise"} was not broken: ${JSON.stringify(planting)}`,
        );
      });
    }
  });
}
