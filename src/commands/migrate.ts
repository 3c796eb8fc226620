import { parseConfig } from "../config.ts";
import { distributeOnCitus } from "../database/citus.ts";
import { closeDatabase, openDatabase } from "../database/connection.ts";
import { findStructureProblem, migrateDown, migrateRepair, migrateUp } from "../database/migrate.ts";
import { listMigrations } from "../database/migration_files.ts";
import type { MigrationLockOptions } from "../database/migration_lock.ts";
import { MAX_PARTITIONS, partitionAssignments } from "../database/partitions.ts";
import { describeNewerSchema, describeVersions, readSchemaState } from "../database/schema_state.ts";
import type { Sql } from "../database/sql.ts";
import { findServiceRoles } from "../database/structure/repair_rights.ts";
import { type RepairReport, wordsOf } from "../database/structure/repair_report.ts";
import { countAssignments } from "../database/revert_all.ts";
import { OperatorError } from "../errors.ts";
import { type Command, type CommandContext, UsageError } from "./command.ts";
import { openCommandServer } from "./open_database.ts";

/** Brings the database to the newest state, or takes migrations back. */
export const migrate: Command = {
  usage:
    "[up] [--grant ROLE | --partitions N | --citus [--distribute]] | repair | down [--all [--yes]] | status",
  summary: "bring the database up to date; down takes the newest migration back",
  async run(context) {
    const action = parseAction(context.args);
    const server = await openCommandServer(parseConfig(context.environment), "task");
    try {
      await action(server.url, context);
      return 0;
    } finally {
      await server.close();
    }
  },
};

type Action = (databaseUrl: string, context: CommandContext) => Promise<void>;

function parseAction(args: readonly string[]): Action {
  const [, partitions] = /^(?:up )?--partitions[ =](\d+)$/.exec(args.join(" ")) ?? [];
  if (partitions !== undefined) return partitionInto(parsePartitions(partitions));
  const [, role] = /^(?:up )?--grant[ =](.+)$/.exec(args.join(" ")) ?? [];
  if (role !== undefined) return grantTo(role);
  switch (args.join(" ")) {
    case "":
    case "up":
      return up;
    case "--citus":
    case "--citus --distribute":
      return distribute(args.includes("--distribute"));
    case "repair":
      return async (databaseUrl, context) =>
        reportRepair(await migrateRepair(databaseUrl, waitingFor(context)), context);
    case "down":
      return async (databaseUrl, context) =>
        report(await migrateDown(databaseUrl, { all: false, ...waitingFor(context) }), "taken back", context);
    case "down --all":
      return async (databaseUrl, context) => {
        await refuseToLoseAssignments(databaseUrl);
        report(await migrateDown(databaseUrl, { all: true, ...waitingFor(context) }), "taken back", context);
      };
    case "down --all --yes":
      return async (databaseUrl, context) =>
        report(await migrateDown(databaseUrl, { all: true, ...waitingFor(context) }), "taken back", context);
    case "status":
      return printStatus;
    default:
      throw new UsageError(
        "migrate takes up, --grant ROLE, --partitions N, --citus [--distribute], repair, down, down --all [--yes] or status",
      );
  }
}

const up: Action = async (databaseUrl, context) => {
  const versions = await migrateUp(databaseUrl, waitingFor(context));
  await withDatabase(databaseUrl, async (sql) => {
    const newer = await describeNewerSchema(sql);
    if (newer !== null) return context.print(`nothing to apply: ${newer}`);
    const problem = await findStructureProblem(sql);
    if (versions.length > 0 || problem === null) report(versions, "applied", context);
    if (versions.length > 0) await grantService(sql, await findServiceRoles(sql), context);
    if (problem !== null) throw new OperatorError(problem);
  });
};

function grantTo(role: string): Action {
  return async (databaseUrl, context) => {
    await up(databaseUrl, context);
    await withDatabase(databaseUrl, (sql) => grantService(sql, [role], context));
  };
}

/** Grants the service's roles what they need, on what is new above all. */
async function grantService(sql: Sql, roles: string[], { print }: CommandContext): Promise<void> {
  for (const role of roles) {
    try {
      await sql`select assignment.grant_service(${role})`;
    } catch (error) {
      throw new OperatorError(`the rights of ${role} are not complete: ${wordsOf(error)}`);
    }
    print(`granted: the service's rights to ${role}`);
  }
}

function parsePartitions(text: string): number {
  const partitions = Number(text);
  if (partitions < 1 || partitions > MAX_PARTITIONS) {
    throw new UsageError(`--partitions takes 1 (one table) to ${MAX_PARTITIONS}`);
  }
  return partitions;
}

function partitionInto(partitions: number): Action {
  return async (databaseUrl, context) => {
    await up(databaseUrl, context);
    const moved = await partitionAssignments(databaseUrl, partitions, waitingFor(context));
    const what = partitions === 1 ? "is one table" : `has ${partitions} partitions`;
    context.print(
      `public.trainer_client_assignments ${what}${moved === null ? " already" : `, ${moved} row(s) moved`}`,
    );
  };
}

function distribute(distributesMembers: boolean): Action {
  return async (databaseUrl, context) => {
    const versions = await migrateUp(databaseUrl, { onCluster: true, ...waitingFor(context) });
    if (versions.length > 0) report(versions, "applied", context);
    const shards = await distributeOnCitus(databaseUrl, { distributesMembers, ...waitingFor(context) });
    context.print(
      shards === null
        ? "the tables are distributed already"
        : `the tables are distributed into ${shards} shards`,
    );
  };
}

/** Deleted assignments can only come back from a backup. */
async function refuseToLoseAssignments(databaseUrl: string): Promise<void> {
  const assignments = await withDatabase(databaseUrl, countAssignments);
  if (assignments === 0) return;
  throw new OperatorError(
    `this deletes ${assignments} assignment(s). Export them first, ` +
      "`curl -H 'Accept: text/csv' …/v1/trainers/{trainerId}/clients` for each trainer, or\n" +
      "`psql -c '\\copy public.trainer_client_assignments to assignments.csv csv header'`; " +
      "then run `deno task migrate down --all --yes`",
  );
}

function waitingFor({ print, signal }: CommandContext): MigrationLockOptions {
  return { signal, onWait: (holder) => print(`waiting for another migration: ${holder}`) };
}

function report(versions: string[], what: string, { print }: CommandContext): void {
  for (const version of versions) print(`${what}: ${version}`);
  if (versions.length === 0) print("nothing to do");
}

function reportRepair(
  { repaired, unrepaired, notes, unassigned }: RepairReport,
  { print }: CommandContext,
): void {
  for (const each of repaired) print(`repaired: ${each}`);
  for (const each of notes) print(`note: ${each}`);
  if (repaired.length + unrepaired.length === 0) print("nothing to repair");
  if (unassigned > 0) print(`${unassigned} member(s) have no active assignment: run deno task backfill`);
  if (unrepaired.length > 0) {
    throw new OperatorError(unrepaired.map((each) => `not repaired: ${each}`).join("\n"));
  }
}

const printStatus: Action = async (databaseUrl, { print }) => {
  const state = await withDatabase(databaseUrl, readSchemaState);
  const applied = new Set(state.applied);
  for (const { version, file } of await listMigrations()) {
    print(`${applied.has(version) ? "applied" : "pending"}  ${file}`);
  }
  for (const version of state.unknown) print(`unknown  ${version}`);
  for (const line of await describeVersions(state)) print(line);
  if (state.pending.length + state.unknown.length > 0) return;
  const problem = await withDatabase(databaseUrl, findStructureProblem);
  if (problem !== null) print(`but ${problem}`);
};

async function withDatabase<T>(databaseUrl: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openDatabase(databaseUrl, { max: 1, applicationName: "trainer-assignment migrate" });
  try {
    return await work(sql);
  } finally {
    await closeDatabase(sql);
  }
}
