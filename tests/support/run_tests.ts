/**
 * What `deno task test` runs: `deno test` for each file, several files side by side, each lane of them with a PostgreSQL
 * of its own and a migrated template to clone; the types are checked meanwhile.
 * Arguments are paths and `deno test`'s own: `deno task test tests/unit/config_test.ts --filter token`.
 * `--quick` leaves out what takes long. It is for the inner loop, no substitute for the whole.
 * PG_VERSION (15 to 18) chooses the server; on any but 18, which the service runs, only the database's tests run.
 * THROUGH_POOLER=1 has all that the service does go through a PgBouncer in transaction mode.
 * TEST_LANES says how many files run at once.
 */
import { z } from "zod";
import { type FileResult, runInLanes } from "./lanes.ts";
import { createModelCluster } from "./servers.ts";
import { findLoadError, summarizeError } from "./test_report.ts";
import { findTestFiles, isQuick, partArguments } from "./test_files.ts";

const LANES_A_CORE = 2; // a test waits half of its time: for a lock, a process, a page
const SLOWEST = 10;

const { version, throughPooler, lanes } = z.object({
  PG_VERSION: z.enum(["15", "16", "17", "18"]).default("18"),
  THROUGH_POOLER: z.string().optional(),
  TEST_LANES: z.coerce.number().int().min(1).default(LANES_A_CORE * navigator.hardwareConcurrency),
}).transform(({ PG_VERSION, THROUGH_POOLER, TEST_LANES }) => ({
  version: PG_VERSION,
  throughPooler: THROUGH_POOLER === "1",
  lanes: TEST_LANES,
})).parse(Deno.env.toObject());

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stopping.abort()); // the tests under way end, then we clean up
}

const { paths, options } = await partArguments(Deno.args.filter((arg) => arg !== "--quick"));
const asked = paths.length > 0 ? paths : [version === "18" ? "tests" : "tests/database"];
const files = (await findTestFiles(asked)).filter((file) => !Deno.args.includes("--quick") || isQuick(file));
const results: FileResult[] = [];
const cluster = await createModelCluster(version);
Deno.env.set("TEST_CLUSTER", cluster.json); // for this process and those of the tests
const [areTypesRight] = await Promise.all([
  options.includes("--no-check") || checkTypes(paths),
  runInLanes(files, {
    lanes,
    version,
    throughPooler,
    options: options.filter((option) => option !== "--no-check"),
    signal: stopping.signal,
    onEnded(result) {
      results.push(result);
      if (result.passed + result.failed + result.skipped > 0) console.log(result.output.trimEnd());
    },
  }),
]).finally(cluster.remove);
const isGreen = areTypesRight && results.every(({ code }) => code === 0) && results.length === files.length;
summarize();
Deno.exit(isGreen ? 0 : 1);

async function checkTypes(paths: readonly string[]): Promise<boolean> {
  const check = new Deno.Command(Deno.execPath(), { args: ["check", "--quiet", ...paths], stdin: "null" });
  return (await check.spawn().status).success;
}

function summarize(): void {
  const sum = (key: "passed" | "failed" | "skipped") => results.reduce((total, each) => total + each[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  if (results.length > 1) {
    console.log("\nThe slowest files:");
    const slowest = results.toSorted((one, other) => other.seconds - one.seconds).slice(0, SLOWEST);
    for (const { file, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(6)} s  ${file}`);
  }
  for (const { file, code, failures, output } of results) {
    const found = code !== 0 && failures.length === 0
      ? [{ name: "does not load, or ends early", error: findLoadError(output) }]
      : failures;
    for (const { name, error } of found) {
      console.log(`FAILED  ${file}  ${name}`);
      for (const line of summarizeError(error)) console.log(`        ${line}`);
    }
  }
  if (!areTypesRight) console.log("FAILED  deno check");
  console.log(`\nPostgreSQL ${version}${throughPooler ? ", by way of PgBouncer" : ""}`);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
}
