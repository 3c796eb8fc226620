/**
 * What `deno task bench` runs: every claim at a size that takes seconds; with a claim's name that one; with `--full` at
 * the size that it is about, and then the figures are kept in bench/results.json and bench/README.md. With `--write` it
 * only writes bench/README.md anew from the kept figures.
 */
import { parseArgs } from "node:util";
import { adoption } from "./adoption.ts";
import { backfill } from "./backfill.ts";
import { backfillOverHttp } from "./backfill_http.ts";
import { bulkCheck } from "./bulk_check.ts";
import { check } from "./check.ts";
import { citus } from "./citus.ts";
import { copy } from "./copy.ts";
import { exportClients } from "./export.ts";
import { growth } from "./growth.ts";
import { list } from "./list.ts";
import { partitions } from "./partitions.ts";
import { policy } from "./policy.ts";
import { search } from "./search.ts";
import { signup } from "./signup.ts";
import { signupsMeanwhile } from "./signups_meanwhile.ts";
import { start } from "./start.ts";
import { transfer } from "./transfer.ts";
import { webhooks } from "./webhooks.ts";
import type { Figure } from "./support/claim.ts";
import { describeSurroundings } from "./support/machine.ts";
import { formatFigures, keepResult, writeReadme } from "./support/report.ts";
import { startBenchServer } from "./support/server.ts";

const claims = [
  check,
  bulkCheck,
  list,
  exportClients,
  search,
  signup,
  copy,
  backfill,
  backfillOverHttp,
  signupsMeanwhile,
  policy,
  transfer,
  webhooks,
  adoption,
  start,
  growth,
  partitions,
  citus,
];
const names = claims.map(({ name }) => name);

const { values: { full: isFull, write: isWrittenAnew }, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: { full: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
});
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(", ")}. The claims:`);
  for (const { name, summary } of claims) console.error(`  ${name.padEnd(18)} ${summary}`);
  Deno.exit(2);
}
if (isWrittenAnew) {
  await writeReadme(names);
  Deno.exit();
}
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stopAll);

let server = await startBenchServer();
try {
  const measured: Record<string, Figure[]> = {};
  for (const claim of claims) {
    const isAsked = positionals.length === 0 ? isFull || claim !== growth : positionals.includes(claim.name);
    if (!isAsked) continue;
    const surroundings = await describeSurroundings(server);
    console.log(`\n${claim.name}: ${claim.summary}`);
    console.log(`  ${surroundings.machine}, load ${surroundings.load}; ${surroundings.versions}`);
    const figures = await claim.run({ server, isFull, say: (text) => console.log(`  ${text}`) });
    console.log(`| what | target | median (least to most of the rounds) | |\n|---|---|---|---|`);
    console.log(formatFigures(figures));
    measured[claim.name] = figures;
    if (isFull) await keepResult(claim.name, surroundings, figures, names);
    await server.remove(); // a server of its own for each claim
    server = await startBenchServer();
  }
  console.log(`\n${JSON.stringify(measured)}`);
} finally {
  await server.remove();
}

async function stopAll(): Promise<void> {
  await server.remove();
  Deno.exit(130);
}
