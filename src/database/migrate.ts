import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { OperatorError } from "../errors.ts";
import type { Sql } from "./sql.ts";
import { listMigrations, MIGRATIONS_FOLDER } from "./migration_files.ts";
import { type MigrationLockOptions, withMigrationLock } from "./migration_lock.ts";
import { socketFolder } from "./driver/hosts.ts";
import { findSettings } from "./session_settings.ts";
import { findRemedy } from "./refusals.ts";
import { LOCKED } from "./locks.ts";
import { checkStructure } from "./structure/check_structure.ts";
import { describeDifferences } from "./structure/differences.ts";
import { describeMembersTable, findMembersTable } from "./structure/members_table.ts";
import { repairStructure } from "./structure/repair.ts";
import type { RepairReport } from "./structure/repair_report.ts";
import { hasDistributedMembers, migrateOnCluster } from "./citus_migrations.ts";
import { isDistributed } from "./distributed.ts";
import { isInstalled, revertAll } from "./revert_all.ts";
import {
  describePending,
  describeSchemaState,
  describeUnknown,
  isMigrated,
  MIGRATIONS_TABLE,
  NEVER_MIGRATED,
  readSchemaState,
} from "./schema_state.ts";

/**
 * Applies the pending migrations in order, and returns their versions. Concurrent callers run one after another.
 * @param options.onCluster also where Citus has distributed `members`; distributeOnCitus must follow
 * @throws {OperatorError} with the migration's file and the database's message, without the database's address.
 */
export async function migrateUp(
  databaseUrl: string,
  { onCluster = false, ...lock }: { onCluster?: boolean } & MigrationLockOptions = {},
): Promise<string[]> {
  return await withMigrationLock(databaseUrl, lock, async (sql, url) => {
    const state = await readSchemaState(sql);
    const { pending, unknown } = state;
    const mismatch = describeSchemaState(state);
    if (!isMigrated(state) && await isInstalled(sql)) {
      throw new OperatorError(
        "the record of applied migrations is missing, but their objects exist: run `deno task migrate repair`",
      );
    }
    if (mismatch === null || pending.length === 0) return [];
    if (unknown.length > 0) throw new OperatorError(mismatch);
    if (await isDistributed(sql)) {
      throw new OperatorError(
        `${describePending(state)}, and is distributed by Citus: they cannot be applied to its shards. ` +
          "Stay with the version that distributed it; see docs/upgrading.md#on-citus",
      );
    }
    if (await hasDistributedMembers(sql)) {
      if (!onCluster) {
        throw new OperatorError("public.members is distributed by Citus: run `deno task migrate --citus`");
      }
      await migrateOnCluster(sql, pending);
    } else await runDbmate(url, sql, "migrate");
    return pending;
  });
}

/**
 * Repairs what another tool has dropped or changed, see {@link repairStructure}.
 * @throws {OperatorError} when migrations must run instead.
 */
export async function migrateRepair(
  databaseUrl: string,
  lock: MigrationLockOptions = {},
): Promise<RepairReport> {
  return await withMigrationLock(databaseUrl, lock, async (sql) => {
    const state = await readSchemaState(sql);
    if (state.unknown.length > 0) {
      throw new OperatorError(`${describeUnknown(state)}: repair it with the version that applied them`);
    }
    if (isMigrated(state) && state.pending.length > 0) {
      throw new OperatorError(
        `${describePending(state)}; run: deno task migrate. If that fails, ` +
          "`deno task migrate down --all` and `deno task migrate` start over",
      );
    }
    if (!isMigrated(state) && !await isInstalled(sql)) {
      throw new OperatorError(NEVER_MIGRATED);
    }
    return await repairStructure(sql);
  });
}

/** Says which of the migrations' objects are missing or different; null when none is. */
export async function findStructureProblem(sql: Sql): Promise<string | null> {
  const problem = describeMembersTable(await findMembersTable(sql));
  if (problem !== null) return problem;
  const differences = await checkStructure(sql);
  if (differences === LOCKED) {
    return "not compared with what must exist: another session holds a table locked; run this again";
  }
  return differences.length === 0
    ? null
    : `${describeDifferences(differences)}; run: deno task migrate repair`;
}

/**
 * Reverts the newest migration, or all of them from any state. Returns their versions.
 * @throws {OperatorError} with the migration's file and the database's message.
 */
export async function migrateDown(
  databaseUrl: string,
  { all, ...lock }: { all: boolean } & MigrationLockOptions,
): Promise<string[]> {
  return await withMigrationLock(databaseUrl, lock, async (sql, url) => {
    const state = await readSchemaState(sql);
    if (state.unknown.length > 0) {
      throw new OperatorError(`${describeUnknown(state)}: take them back with the version that applied them`);
    }
    const applied = state.applied.toReversed();
    if (all) {
      const isThere = applied.length > 0 || await isInstalled(sql);
      await revertAll(sql);
      return applied.length > 0 || !isThere
        ? applied
        : (await listMigrations()).map(({ version }) => version);
    }
    if (applied.length > 0) await runDbmate(url, sql, "rollback");
    return applied.slice(0, 1);
  });
}

/**
 * Runs dbmate (github.com/amacneil/dbmate). It gets the database's address by the environment, which `ps` does
 * not show.
 */
async function runDbmate(databaseUrl: string, sql: Sql, action: "migrate" | "rollback"): Promise<void> {
  const command = new Deno.Command(dbmateBinary(), {
    args: [
      `--migrations-dir=${MIGRATIONS_FOLDER}`,
      `--migrations-table=${MIGRATIONS_TABLE}`,
      "--no-dump-schema",
      action,
    ],
    env: { DATABASE_URL: await toDbmateUrl(databaseUrl, sql) },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return;
  const decoder = new TextDecoder();
  const lines = (decoder.decode(stdout) + decoder.decode(stderr)).trim().split("\n");
  const file = lines.findLast((line) => /^(?:Applying|Rolling back): /.test(line))?.replace(/^.*: /, "");
  const beginning = lines.findLastIndex((line) => line.startsWith("Error: ")); // the message may have several lines
  const reason = lines.slice(beginning).join("\n").replace(/^Error: (?:pq: )?/, "") || "dbmate failed";
  const remedy = findRemedy({ message: reason });
  const advised = remedy === null ? reason : `${reason}: ${remedy}`;
  throw new OperatorError(file === undefined ? advised : `${join("db/migrations", file)}: ${advised}`);
}

/**
 * Writes a URL as dbmate reads it: the folder of a socket file is a parameter, and `prepare`, a parameter of
 * our driver, is removed. dbmate requires TLS by default, so it gets the same choice as our own connection.
 */
async function toDbmateUrl(databaseUrl: string, sql: Sql): Promise<string> {
  const url = new URL(databaseUrl);
  for (const [name, value] of Object.entries(await findSettings(databaseUrl) ?? {})) {
    url.searchParams.set(name, String(value)); // dbmate passes unknown parameters on
  }
  url.searchParams.delete("prepare");
  const folder = socketFolder(databaseUrl);
  if (folder !== null) {
    const { username, password, port, pathname, searchParams } = url;
    searchParams.set("host", folder);
    searchParams.set("port", port || "5432");
    searchParams.set("sslmode", "disable");
    return `postgres://${username}${password === "" ? "" : `:${password}`}@${pathname}?${searchParams}`;
  }
  if (!["allow", "prefer", null].includes(url.searchParams.get("sslmode"))) return url.href;
  const [connection] = await sql<
    { ssl: boolean }[]
  >`select ssl from pg_stat_ssl where pid = pg_backend_pid()`;
  url.searchParams.set("sslmode", connection?.ssl ? "require" : "disable");
  return url.href;
}

function dbmateBinary(): string {
  const dbmate = z.object({ resolveBinary: z.function({ output: z.string() }) });
  return dbmate.parse(createRequire(import.meta.url)("dbmate")).resolveBinary();
}
