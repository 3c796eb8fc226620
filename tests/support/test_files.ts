import { join } from "node:path";

/** Folders whose files take longest: begun first, lest one of them be left when all others have ended. */
const LONG = ["tests/faults/", "tests/replicas/", "tests/browser/", "tests/commands/"];

/** What `--quick` leaves out: those folders, and what else takes more than some five seconds. */
export const SLOW = [
  ...LONG,
  "tests/adoption/",
  "tests/database/assignments/interleavings_test.ts",
  "tests/database/assignments/retries_test.ts",
  "tests/database/runs/driver_test.ts",
  "tests/database/runs/errors_test.ts",
  "tests/database/runs/lanes_test.ts",
  "tests/database/runs/partitioned_members_test.ts",
  "tests/database/runs/pressure_test.ts",
  "tests/database/runs/replica_lag_test.ts",
  "tests/database/runs/status_changes_test.ts",
  "tests/database/health_test.ts",
  "tests/database/migrations/",
  "tests/database/read_replica_test.ts",
  "tests/database/signup/faults_test.ts",
  "tests/deploy/container_test.ts",
  "tests/http/busy_database_test.ts",
  "tests/http/database_away_test.ts",
  "tests/http/database_refuses_test.ts",
  "tests/http/exports_test.ts",
  "tests/http/jwt_test.ts",
  "tests/http/provider_keys_test.ts",
  "tests/unit/lost_connections_test.ts",
];

/** Lists the test files that paths name, a folder those in it; the longest come first. */
export async function findTestFiles(paths: readonly string[]): Promise<string[]> {
  const found = (await Promise.all(paths.map(filesIn))).flat();
  const rank = (file: string) => {
    const index = LONG.findIndex((folder) => file.startsWith(folder));
    return index === -1 ? LONG.length : index;
  };
  return [...new Set(found)].toSorted((one, other) => rank(one) - rank(other) || one.localeCompare(other));
}

/** Tells whether a file is part of `--quick`. */
export function isQuick(file: string): boolean {
  return !SLOW.some((path) => file.startsWith(path));
}

/** Parts the arguments of `deno task test` into paths and what is `deno test`'s own. */
export async function partArguments(
  args: readonly string[],
): Promise<{ paths: string[]; options: string[] }> {
  const paths: string[] = [];
  const options: string[] = [];
  for (const arg of args) {
    const isPath = await Deno.stat(arg).then(() => true, () => false);
    (isPath ? paths : options).push(arg);
  }
  return { paths, options };
}

async function filesIn(path: string): Promise<string[]> {
  if (!(await Deno.stat(path)).isDirectory) return [path];
  const entries = await Array.fromAsync(Deno.readDir(path));
  const inner = await Promise.all(entries.map(({ name, isDirectory }) => {
    const entry = join(path, name);
    if (isDirectory) return filesIn(entry);
    return Promise.resolve(name.endsWith("_test.ts") ? [entry] : []);
  }));
  return inner.flat();
}
