import { join } from "node:path";
import type { PostgresVersion } from "./servers.ts";

/**
 * What takes more than some five seconds, the longest first: begun in this order, lest a long file be left when all
 * others have ended. `--quick` leaves it out.
 */
export const SLOW = [
  "tests/faults/planted_hostile_bugs_test.ts",
  "tests/faults/planted_database_bugs_test.ts",
  "tests/browser/backfill_test.ts",
  "tests/database/health_test.ts",
  "tests/replicas/",
  "tests/commands/restart_test.ts",
  "tests/commands/start_test.ts",
  "tests/docs/commands_test.ts",
  "tests/database/structure/repair_test.ts",
  "tests/faults/experiments/pooler_test.ts",
  "tests/commands/serve_database_test.ts",
  "tests/commands/migrate_test.ts",
  "tests/client/package_test.ts",
  "tests/faults/planted_network_bugs_test.ts",
  "tests/database/migrations/upgrade_test.ts",
  "tests/database/migrations/adopt_members_test.ts",
  "tests/database/migrations/up_down_test.ts",
  "tests/database/history/audit_lines_test.ts",
  "tests/database/transfers/concurrency_test.ts",
  "tests/faults/",
  "tests/browser/",
  "tests/commands/",
  "tests/database/runs/replica_lag_test.ts",
  "tests/database/policy/sessions_test.ts",
  "tests/database/policy/seats_test.ts",
  "tests/database/policy/copy_test.ts",
  "tests/database/assignments/interleavings_test.ts",
  "tests/database/runs/driver_test.ts",
  "tests/database/signup/rewritten_ids_test.ts",
  "tests/database/runs/reassign_test.ts",
  "tests/database/runs/reassign_accounting_test.ts",
  "tests/database/runs/errors_test.ts",
  "tests/database/signup/faults_test.ts",
  "tests/database/runs/pressure_test.ts",
  "tests/database/structure/repair_members_test.ts",
  "tests/adoption/",
  "tests/http/busy_database_test.ts",
  "tests/http/documented_webhooks_test.ts",
  "tests/http/database_away_test.ts",
  "tests/http/database_refuses_test.ts",
  "tests/database/migrations/",
  "tests/database/roles_test.ts",
  "tests/database/policy/waiting_test.ts",
  "tests/database/connection_strings_test.ts",
  "tests/database/read_replica_test.ts",
  "tests/database/failover_test.ts",
  "tests/database/session_settings_test.ts",
  "tests/database/assignments/retries_test.ts",
  "tests/database/runs/lanes_test.ts",
  "tests/database/runs/partitioned_members_test.ts",
  "tests/database/runs/status_changes_test.ts",
  "tests/deploy/container_test.ts",
  "tests/http/exports_test.ts",
  "tests/http/audit_download_test.ts",
  "tests/http/access_log_test.ts",
  "tests/http/member_export_test.ts",
  "tests/database/history/",
  "tests/http/jwt_test.ts",
  "tests/http/provider_keys_test.ts",
  "tests/http/transfers_test.ts",
  "tests/database/webhooks/",
  "tests/http/member_hook_test.ts",
  "tests/http/member_hook_refusals_test.ts",
  "tests/http/member_hook_providers_test.ts",
  "tests/http/member_hook_own_schemes_test.ts",
  "tests/unit/lost_connections_test.ts",
];

/**
 * What waits for most of its time, for programs, browsers or time-outs, and takes less than half a processor: run beside
 * files that keep one busy.
 */
export const WAITING = [
  "tests/browser/",
  "tests/commands/",
  "tests/faults/experiments/",
  "tests/faults/planted_network_bugs_test.ts",
  "tests/database/health_test.ts",
  "tests/database/migrations/adopt_members_test.ts",
  "tests/database/read_replica_test.ts",
  "tests/database/runs/errors_test.ts",
  "tests/database/runs/pressure_test.ts",
  "tests/database/runs/replica_lag_test.ts",
  "tests/database/signup/faults_test.ts",
  "tests/adoption/pooler_test.ts",
  "tests/http/access_log_test.ts",
  "tests/http/busy_database_test.ts",
  "tests/http/database_away_test.ts",
  "tests/http/database_refuses_test.ts",
  "tests/http/failures_test.ts",
  "tests/http/jwt_test.ts",
  "tests/http/outage_log_test.ts",
  "tests/http/sign_out_test.ts",
  "tests/http/time_limit_test.ts",
  "tests/client/retries_test.ts",
  "tests/docs/commands_test.ts",
  "tests/unit/lost_connections_test.ts",
];

/** A test file, and the server it is to run on. */
export interface TestJob {
  file: string;
  version: PostgresVersion;
}

/** Lists the test files that paths name, a folder those in it. */
export async function findTestFiles(paths: readonly string[]): Promise<string[]> {
  const found = (await Promise.all(paths.map(filesIn))).flat();
  return [...new Set(found)].toSorted((one, other) => one.localeCompare(other));
}

/** Orders jobs by how long they take, the longest first, whatever their version. */
export function longestFirst(jobs: readonly TestJob[]): TestJob[] {
  const rank = ({ file }: TestJob) => {
    const index = SLOW.findIndex((path) => file.startsWith(path));
    return index === -1 ? SLOW.length : index;
  };
  return jobs.toSorted((one, other) => rank(one) - rank(other));
}

/** Tells whether a file is part of `--quick`. */
export function isQuick(file: string): boolean {
  return !SLOW.some((path) => file.startsWith(path));
}

/** Takes the first job of a kind out of the queue; the first of the other kind where there is none. */
export function takeJob(queue: TestJob[], kind: "waiting" | "busy"): TestJob | undefined {
  const isOfKind = ({ file }: TestJob) =>
    WAITING.some((path) => file.startsWith(path)) === (kind === "waiting");
  const index = queue.findIndex(isOfKind);
  return index === -1 ? queue.shift() : queue.splice(index, 1)[0];
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
