import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { OperatorError } from "../errors.ts";
import type { Sql, SqlOrTransaction } from "./sql.ts";
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
import { isInstalled, revertAll } from "./revert_all.ts";

const MIGRATIONS_TABLE = "assignment.schema_migrations";

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
    const applied = await appliedMigrations(sql);
    if (applied.length === 0 && await isInstalled(sql)) {
      throw new OperatorError(
        "the record of applied migrations is missing, but their objects exist: run `deno task migrate repair`",
      );
    }
    const pending = await pendingMigrations(sql);
    if (pending.length === 0) return pending;
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
    const applied = await appliedMigrations(sql);
    const pending = await pendingMigrations(sql);
    if (applied.length > 0 && pending.length > 0) {
      throw new OperatorError(
        `${pending.length} migration(s) are pending: run \`deno task migrate\` first. If that fails, ` +
          "`deno task migrate down --all` and `deno task migrate` start over",
      );
    }
    if (applied.length === 0 && !await isInstalled(sql)) {
      throw new OperatorError("the database was never migrated: run `deno task migrate`");
    }
    const known = new Set((await listMigrations()).map(({ version }) => version));
    if (applied.some((version) => !known.has(version))) {
      throw new OperatorError(
        "a newer version of this program migrated the database: repair it with that one",
      );
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
    const applied = (await appliedMigrations(sql)).toReversed();
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

/** Lists every migration, oldest first, and whether it is applied. */
export async function migrationStatus(
  sql: Sql,
): Promise<{ version: string; file: string; applied: boolean }[]> {
  const applied = new Set(await appliedMigrations(sql));
  return (await listMigrations()).map(({ version, file }) => ({
    version,
    file,
    applied: applied.has(version),
  }));
}

/** Lists the versions that are not applied, oldest first. */
export async function pendingMigrations(sql: Sql): Promise<string[]> {
  return (await migrationStatus(sql)).filter(({ applied }) => !applied).map(({ version }) => version);
}

/** Lists the versions that are applied, oldest first. */
export async function appliedMigrations(sql: SqlOrTransaction): Promise<string[]> {
  const [table] = await sql<{ exists: boolean }[]>`
    select to_regclass(${MIGRATIONS_TABLE}) is not null as exists
  `;
  if (!table?.exists) return [];
  const rows = await sql<
    { version: string }[]
  >`select version from assignment.schema_migrations order by version`;
  return rows.map(({ version }) => version);
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
