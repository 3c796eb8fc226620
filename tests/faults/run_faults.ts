/**
 * What `deno task faults` runs: `deno task faults NAME… [--long] [--seed N]`, or `all`. Prints what each experiment
 * measured, and ends with 1 when a promise did not hold. `--citus` runs it on the Citus cluster that `CITUS_URL` names,
 * and crashes its servers. `deno task faults planted [WORDS]` plants each bug (whose name has the words) in each
 * experiment that is said to notice it, and ends with 1 when one does not.
 */
import { parseArgs } from "node:util";
import { carryOut, commandOf, newSeed } from "./carry_out.ts";
import type { Experiment } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { knownBugs, plantIn } from "./plant.ts";
import type { KnownBug } from "./planted_bug.ts";
import { takeDownWorlds } from "./world.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: {
    long: { type: "boolean" },
    short: { type: "boolean" },
    citus: { type: "boolean" },
    seed: { type: "string" },
  },
  allowPositionals: true,
});
const isPlanting = positionals[0] === "planted";
const words = positionals.slice(1).join(" ");
const bugs = isPlanting ? knownBugs.filter(({ name }) => name.includes(words)) : [];
const onCluster = values.citus === true;
const possible = experiments.filter(({ runsOnCluster }) => !onCluster || runsOnCluster);
const chosen = positionals.includes("all")
  ? possible
  : possible.filter(({ name }) => positionals.includes(name));
const unknown = positionals.filter((name) => name !== "all" && !possible.some((each) => each.name === name));
const seed = Number(values.seed ?? newSeed());
const isUnderstood = isPlanting ? bugs.length > 0 : chosen.length > 0 && unknown.length === 0;
if (!isUnderstood || !Number.isSafeInteger(seed)) {
  console.error("usage: deno task faults NAME…|all [--long|--short] [--citus] [--seed N]");
  console.error("       deno task faults planted [WORDS OF A BUG'S NAME] [--seed N]\n");
  for (const { name, summary } of possible) console.error(`  ${name.padEnd(18)} ${summary}`);
  Deno.exit(2);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    await takeDownWorlds();
    Deno.exit(130);
  });
}

if (isPlanting) Deno.exit(await plantAndPrint(bugs) ? 0 : 1);

let broken = 0;
for (const experiment of chosen) broken += await runAndPrint(experiment);
Deno.exit(broken === 0 ? 0 : 1);

async function runAndPrint(experiment: Experiment): Promise<number> {
  const scale = values.long ? "long" : values.short ? "short" : "full";
  console.log(`\n${experiment.name}: ${experiment.summary}`);
  const began = performance.now();
  const options = { seed, scale, onCluster } as const;
  const { figures, violations } = await carryOut(experiment, options);
  const line = (label: string, value: string | number) => console.log(`  ${label.padEnd(40)} ${value}`);
  line("seed", `${seed} (${commandOf(experiment, options)})`);
  for (const [label, value] of figures) line(label, value);
  line("took", `${Math.round((performance.now() - began) / 100) / 10} s`);
  for (const { rule, detail } of violations) console.log(`  BROKEN: ${rule}: ${detail}`);
  if (violations.length === 0) console.log("  every promise held");
  return violations.length;
}

/** Tries every pair of a bug and an experiment; whether each was noticed. */
async function plantAndPrint(bugs: readonly KnownBug[]): Promise<boolean> {
  let allNoticed = true;
  for (const bug of bugs) {
    console.log(`\n${bug.name}`);
    for (const experimentName of bug.caughtBy) {
      const { broken, unrelated, tookMs } = await plantIn(experimentName, bug, { seed });
      const first = broken.find(({ rule }) => bug.breaks === undefined || rule === bug.breaks);
      const seen = first === undefined
        ? `NOT NOTICED ${
          [...broken, ...unrelated].map(({ rule, detail }) => `${rule}: ${detail}`).join("; ")
        }`
        : `${first.rule}: ${first.detail}`.slice(0, 200);
      console.log(`  ${experimentName.padEnd(18)} ${`${Math.round(tookMs / 1000)} s`.padStart(5)}  ${seen}`);
      if (first === undefined) allNoticed = false;
    }
  }
  return allNoticed;
}
