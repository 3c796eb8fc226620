import { assert } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { plantIn, type Planting } from "./plant.ts";
import type { KnownBug } from "./planted_bug.ts";
import { sideBySide } from "./side_by_side.ts";

/** An experiment mostly waits; that of another bug goes on meanwhile. */
const AT_ONCE = 2;
/** A bug that needs a coincidence need not meet it in the first run. */
const RUNS = 3;

/** Declares a test for each bug that is no extra: the quickest of the experiments that are said to notice it does. */
export function testPlantedBugs(knownBugs: readonly KnownBug[], { onCluster = false } = {}): void {
  const bugs = knownBugs.filter(({ isExtra }) => !isExtra);
  describe("the oracle is turned red", () => {
    let plantings: Promise<Planting>[] = [];
    beforeAll(() => {
      plantings = sideBySide(bugs, onCluster ? 1 : AT_ONCE, (bug) => plantUntilNoticed(bug, onCluster));
    });

    for (const [index, { name, caughtBy: [quickest], breaks }] of bugs.entries()) {
      it(`by a planted bug, ${name}, in ${quickest}`, async () => {
        const planting = await plantings[index];
        assert(
          planting !== undefined && isNoticed(planting, breaks),
          `${breaks ?? "no promise"} was not broken: ${JSON.stringify(planting)}`,
        );
      });
    }
  });
}

async function plantUntilNoticed(bug: KnownBug, onCluster: boolean): Promise<Planting> {
  let planting: Planting;
  let runs = 0;
  do {
    planting = await plantIn(bug.caughtBy[0], bug, { onCluster });
    runs += 1;
  } while (!isNoticed(planting, bug.breaks) && runs < RUNS);
  return planting;
}

function isNoticed({ broken }: Planting, breaks: string | undefined): boolean {
  return broken.some(({ rule }) => breaks === undefined || rule === breaks);
}
