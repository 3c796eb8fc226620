/**
 * What `deno task faults` runs: `deno task faults NAME… [--long] [--seed N]`, or `all`. Prints what each experiment
 * measured, and ends with 1 when a promise did not hold.
 */
import { parseArgs } from "node:util";
import { carryOut, commandOf, newSeed } from "./carry_out.ts";
import type { Experiment } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { takeDownWorlds } from "./world.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { long: { type: "boolean" }, short: { type: "boolean" }, seed: { type: "string" } },
  allowPositionals: true,
});
const chosen = positionals.includes("all")
  ? experiments
  : experiments.filter(({ name }) => positionals.includes(name));
const unknown = positionals.filter((name) =>
  name !== "all" && !experiments.some((each) => each.name === name)
);
const seed = Number(values.seed ?? newSeed());
if (chosen.length === 0 || unknown.length > 0 || !Number.isSafeInteger(seed)) {
  console.error("usage: deno task faults NAME…|all [--long|--short] [--seed N]\n");
  for (const { name, summary } of experiments) console.error(`  ${name.padEnd(18)} ${summary}`);
  Deno.exit(2);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, async () => {
    await takeDownWorlds();
    Deno.exit(130);
  });
}

let broken = 0;
for (const experiment of chosen) broken += await runAndPrint(experiment);
Deno.exit(broken === 0 ? 0 : 1);

async function runAndPrint(experiment: Experiment): Promise<number> {
  const scale = values.long ? "long" : values.short ? "short" : "full";
  console.log(`\n${experiment.name}: ${experiment.summary}`);
  const began = performance.now();
  const { figures, violations } = await carryOut(experiment, { seed, scale });
  const line = (label: string, value: string | number) => console.log(`  ${label.padEnd(40)} ${value}`);
  line("seed", `${seed} (${commandOf(experiment, { seed, scale })})`);
  for (const [label, value] of figures) line(label, value);
  line("took", `${Math.round((performance.now() - began) / 100) / 10} s`);
  for (const { rule, detail } of violations) console.log(`  BROKEN: ${rule}: ${detail}`);
  if (violations.length === 0) console.log("  every promise held");
  return violations.length;
}
