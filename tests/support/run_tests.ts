/**
 * What `deno task test` runs: `deno test` for each file, several files side by side, each lane of them with a PostgreSQL
 * of its own and a migrated template to clone; the types are checked meanwhile.
 * Arguments are paths and `deno test`'s own: `deno task test tests/unit/config_test.ts --filter token`.
 * `--quick` leaves out what takes long. It is for the inner loop, no substitute for the whole.
 * PG_VERSION (15 to 18, or several: 15,18) chooses the servers; on any but 18, which the service runs, only the database's
 * tests run. The files of all versions are in one queue.
 * THROUGH_POOLER=1 has all that the service does go through a PgBouncer in transaction mode.
 * PARTITIONS=8 has the assignments in 8 hash partitions, in all databases that are copies of the migrated template.
 * CITUS_URL names the coordinator of a Citus cluster, as its superuser, for tests/citus.
 * TEST_LANES says how many files run at once.
 */
import { z } from "zod";
import { type FileResult, runInLanes } from "./lanes.ts";
import { createModelClusters } from "./model_clusters.ts";
import { findTestFiles, isQuick, longestFirst, partArguments, type TestJob } from "./test_files.ts";
import { findLoadError, summarizeError } from "./test_report.ts";

const LANES_A_CORE = 1.5; // with 2 the processors are hardly busier, and time-outs strike
const SLOWEST = 10;
const CITUS = "tests/citus/";

const versionSchema = z.enum(["15", "16", "17", "18"]);
const { versions, throughPooler, lanes, hasCitus } = z.object({
  PG_VERSION: z.string().default("18").transform((text) => text.split(",")).pipe(z.array(versionSchema)),
  THROUGH_POOLER: z.string().optional(),
  CITUS_URL: z.string().optional(),
  TEST_LANES: z.coerce.number().int().min(1).default(Math.ceil(LANES_A_CORE * navigator.hardwareConcurrency)),
}).transform(({ PG_VERSION, THROUGH_POOLER, CITUS_URL, TEST_LANES }) => ({
  versions: PG_VERSION,
  throughPooler: THROUGH_POOLER === "1",
  lanes: TEST_LANES,
  hasCitus: CITUS_URL !== undefined,
})).parse(Deno.env.toObject());

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stopping.abort()); // the tests under way end, then we clean up
}

const { paths, options } = await partArguments(Deno.args.filter((arg) => arg !== "--quick"));
const jobs = longestFirst(
  (await Promise.all(versions.map(async (version) => {
    const asked = paths.length > 0 ? paths : [version === "18" ? "tests" : "tests/database"];
    return (await findTestFiles(asked)).map((file) => ({ file, version }));
  }))).flat().filter(({ file }) =>
    (hasCitus || !file.startsWith(CITUS)) && (!Deno.args.includes("--quick") || isQuick(file))
  ),
);
const results: FileResult[] = [];
const clusters = await createModelClusters(versions);
Deno.env.set("TEST_CLUSTERS", clusters.json); // for this process and those of the tests
const [areTypesRight] = await Promise.all([
  options.includes("--no-check") || checkTypes(paths),
  runJobs(),
]).finally(clusters.remove);
const isGreen = areTypesRight && results.every(({ code }) => code === 0) && results.length === jobs.length;
summarize();
Deno.exit(isGreen ? 0 : 1);

/** Those of a Citus cluster one by one at the end, for they share and crash its nodes. */
async function runJobs(): Promise<void> {
  const isOfCitus = ({ file }: TestJob) => file.startsWith(CITUS);
  await runSome(jobs.filter((job) => !isOfCitus(job)), lanes);
  await runSome(jobs.filter(isOfCitus), 1);
}

async function runSome(some: readonly TestJob[], lanes: number): Promise<void> {
  await runInLanes(some, {
    lanes,
    throughPooler,
    options: options.filter((option) => option !== "--no-check"),
    signal: stopping.signal,
    onEnded(result) {
      results.push(result);
      if (result.passed + result.failed + result.skipped > 0) {
        console.log(`${onVersion(result)}${result.output.trimEnd()}`);
      }
    },
  });
}

async function checkTypes(paths: readonly string[]): Promise<boolean> {
  const check = new Deno.Command(Deno.execPath(), { args: ["check", "--quiet", ...paths], stdin: "null" });
  return (await check.spawn().status).success;
}

function summarize(): void {
  if (results.length > 1) {
    console.log("\nThe slowest files:");
    const slowest = results.toSorted((one, other) => other.seconds - one.seconds).slice(0, SLOWEST);
    for (const result of slowest) {
      console.log(`${result.seconds.toFixed(1).padStart(6)} s  ${onVersion(result)}${result.file}`);
    }
  }
  for (const result of results) {
    const { file, code, failures, output } = result;
    const found = code !== 0 && failures.length === 0
      ? [{ name: "does not load, or ends early", error: findLoadError(output) }]
      : failures;
    for (const { name, error } of found) {
      console.log(`FAILED  ${onVersion(result)}${file}  ${name}`);
      for (const line of summarizeError(error)) console.log(`        ${line}`);
    }
  }
  if (!areTypesRight) console.log("FAILED  deno check");
  console.log();
  if (!hasCitus) console.log(`${CITUS} was not run: CITUS_URL names no coordinator`);
  for (const version of versions) {
    const way = throughPooler ? ", by way of PgBouncer" : "";
    const ofVersion = results.filter((result) => result.version === version);
    console.log(`PostgreSQL ${version}${way}${versions.length > 1 ? `: ${countTests(ofVersion)}` : ""}`);
  }
  console.log(countTests(results));
}

function countTests(counted: readonly FileResult[]): string {
  const sum = (key: "passed" | "failed" | "skipped") => counted.reduce((total, each) => total + each[key], 0);
  const skipped = sum("skipped");
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Tells the version where there are several. */
function onVersion({ version }: FileResult): string {
  return versions.length > 1 ? `PostgreSQL ${version}  ` : "";
}
