import { carryOut, newSeed } from "./carry_out.ts";
import { experiments } from "./experiments.ts";
import type { Violation } from "./oracle.ts";
import type { KnownBug } from "./planted_bug.ts";
import { databaseBugs } from "./planted_bugs.ts";
import { historyBugs } from "./planted_history_bugs.ts";
import { hostileBugs } from "./planted_hostile_bugs.ts";
import { networkBugs } from "./planted_network_bugs.ts";
import { policyBugs } from "./planted_policy_bugs.ts";
import { webhookBugs } from "./planted_webhook_bugs.ts";

export const knownBugs: readonly KnownBug[] = [
  ...databaseBugs,
  ...policyBugs,
  ...historyBugs,
  ...networkBugs,
  ...hostileBugs,
  ...webhookBugs,
];

const unrelatedRules = ["the experiment comes to its end", "the experiment leaves nothing open"];

/** What became of a planted bug in an experiment. */
export interface Planting {
  seed: number;
  /** The promises that it broke; empty when nobody noticed it. */
  broken: Violation[];
  /** The others: that the experiment did not come to its end, which tells nothing of the bug. */
  unrelated: Violation[];
  tookMs: number;
}

/**
 * Plants a bug and lets the short version of an experiment run, at most until a promise breaks. An experiment that only
 * does not come to its end has noticed nothing.
 * @throws {Error} when there is no such experiment
 */
export async function plantIn(
  experimentName: string,
  plant: KnownBug,
  { seed = newSeed(), onCluster = false } = {},
): Promise<Planting> {
  const experiment = experiments.find(({ name }) => name === experimentName);
  if (experiment === undefined) throw new Error(`there is no experiment ${experimentName}`);
  const began = performance.now();
  const { violations } = await carryOut(experiment, { seed, scale: "short", plant, onCluster });
  const isUnrelated = ({ rule }: Violation) => unrelatedRules.includes(rule);
  return {
    seed,
    broken: violations.filter((violation) => !isUnrelated(violation)),
    unrelated: violations.filter(isUnrelated),
    tookMs: performance.now() - began,
  };
}
