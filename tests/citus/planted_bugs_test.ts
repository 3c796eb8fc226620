/** The oracle notices bugs on a cluster, too. They are planted before the shards get their copies of the functions. */
import { knownBugs } from "../faults/plant.ts";
import type { KnownBug } from "../faults/planted_bug.ts";
import { testPlantedBugs } from "../faults/test_planted_bugs.ts";

testPlantedBugs(
  [
    plant(
      "failures are swallowed",
      "everyday",
      "each member has exactly one of assignment, failure, ended assignment",
    ),
    plant("a rule is skipped", "kills", "the first rule that matches and has room decides"),
  ],
  { onCluster: true },
);

function plant(name: string, experiment: string, breaks: string): KnownBug {
  const bug = knownBugs.find((each) => each.name === name);
  if (bug === undefined) throw new Error(`there is no bug ${name}`);
  return { ...bug, caughtBy: [experiment], breaks };
}
