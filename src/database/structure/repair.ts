import postgres from "postgres";
import { OperatorError } from "../../errors.ts";
import { listMigrations, readMigration } from "../migration_files.ts";
import type { Sql, SqlOrTransaction } from "../sql.ts";
import { readCatalogWithin } from "./catalog.ts";
import {
  describeDifference,
  describeDifferences,
  type Difference,
  findDifferences,
  isForeignKey,
  withoutConsequences,
} from "./differences.ts";
import { describeMembersTable, findMembersTable } from "./members_table.ts";
import { hasDistributedSchema } from "./distributed_schema.ts";
import { repairStatement } from "./repair_statement.ts";
import { findMovedTables } from "./moved_tables.ts";
import { attempt, type RepairReport, type Transaction, wordsOf } from "./repair_report.ts";
import { findServiceRoles, grantServiceRoles, revokeDefaultGrants } from "./repair_rights.ts";
import { schemaFor } from "./partitioned_schema.ts";
import { readSchema, type SchemaObject } from "./schema_file.ts";

/**
 * Repairs, in one transaction, what is missing or different of the migrations' objects, and keeps the data.
 * Existing rows are checked against foreign keys after the commit, so that signups wait only milliseconds.
 * @throws {OperatorError} when the members' table, or one of ours, exists under another name. Nothing is
 * changed then.
 */
export async function repairStructure(sql: Sql): Promise<RepairReport> {
  const schema = await readSchema();
  const report: RepairReport = { repaired: [], unrepaired: [], notes: [], unassigned: 0 };
  const differences = await sql.begin(async (transaction) => {
    await requireMembers(transaction);
    await transaction`
      select set_config('lock_timeout', '5s', true), set_config('check_function_bodies', 'off', true)
    `;
    const catalog = await readCatalogWithin(transaction);
    const { objects, rights } = schemaFor(catalog, schema);
    const differences = findDifferences(objects, catalog);
    if (differences.length > 0 && hasDistributedSchema(catalog)) {
      throw new OperatorError(`distributed tables are repaired by hand: ${describeDifferences(differences)}`);
    }
    await refuseMovedTables(transaction, differences);
    const roles = await findServiceRoles(transaction);
    await repairAll(transaction, differences, report);
    if (differences.length > 0) {
      await namePartitionIndexes(transaction, objects, report);
      await removeStrayTriggers(transaction, report);
      for (const right of rights) await attempt(transaction, right, right, report);
      await revokeDefaultGrants(transaction, differences, report);
      await grantServiceRoles(transaction, roles, report);
    }
    await recordMigrations(transaction);
    return differences;
  });
  for (const { object } of differences.filter(({ object }) => isForeignKey(object))) {
    await validate(sql, object, report);
  }
  report.unassigned = await countUnassigned(sql);
  return report;
}

/** Runs the migration that checks the members' table. On a suitable table it changes nothing. */
async function requireMembers(transaction: SqlOrTransaction): Promise<void> {
  const problem = describeMembersTable(await findMembersTable(transaction));
  if (problem !== null) throw new OperatorError(problem);
  const adoption = (await listMigrations()).find(({ file }) => file.endsWith("_adopt_members.sql"));
  const { up } = await readMigration(adoption?.file ?? "");
  await transaction.unsafe(up).catch((error) =>
    Promise.reject(new OperatorError(wordsOf(error), { cause: error }))
  );
}

async function refuseMovedTables(transaction: SqlOrTransaction, differences: Difference[]): Promise<void> {
  const missing = differences.filter(({ object, found }) => object.kind === "table" && found === null);
  const moved = await findMovedTables(transaction, missing.map(({ object }) => object.name));
  if (moved.length === 0) return;
  throw new OperatorError(
    moved.map(({ name, now, remedy }) =>
      `table ${name} is missing, and ${now} seems to be it. If it is, run: ${remedy} If it is a copy, rename its primary key first.`
    ).join("\n"),
  );
}

async function repairAll(
  transaction: Transaction,
  differences: Difference[],
  report: RepairReport,
): Promise<void> {
  const shown = new Set(withoutConsequences(differences));
  const missing = new Set(differences.filter(({ found }) => found === null).map(({ object }) => object.name));
  for (const difference of differences) {
    const { object } = difference;
    const comesWithTable = object.table !== null && missing.has(object.table) &&
      (object.kind === "column" ||
        object.statement.includes(" ADD CONSTRAINT ") && object.definition?.startsWith("CHECK"));
    if (comesWithTable) continue;
    const statement = repairStatement(difference);
    if (statement === null) {
      report.unrepaired.push(
        `${describeDifference(difference)}: a person must decide; it should be ${object.definition}`,
      );
      continue;
    }
    if (
      !await attempt(
        transaction,
        `${statement}; ${initialRowOf(object)}`,
        describeDifference(difference),
        report,
      )
    ) continue;
    if (shown.has(difference)) report.repaired.push(describeDifference(difference));
    if (object.kind === "table") report.notes.push(...LOSSES[object.name] ?? []);
  }
}

/** An index that was created anew has names of the server's choice in the partitions. */
async function namePartitionIndexes(
  transaction: Transaction,
  objects: SchemaObject[],
  report: RepairReport,
): Promise<void> {
  for (const { name } of objects.filter(({ kind }) => kind === "partitioning")) {
    await attempt(
      transaction,
      `select assignment.name_partition_indexes('${name}')`,
      `the indexes of ${name}`,
      report,
    );
  }
}

/** What is lost with a table that is created anew. */
const LOSSES: Record<string, string[]> = {
  "public.trainer_client_assignments": [
    "the assignments in public.trainer_client_assignments are lost: only a backup has them. The table is new and empty",
  ],
  "assignment.settings": [
    "the default trainer is that of a new installation: set yours with PUT /v1/policy",
  ],
  "assignment.webhook_endpoints": ["the webhooks are lost: create them again"],
  "assignment.outbox": [
    "messages that were not sent yet are lost: their consumers catch up from the lists of assignments",
  ],
};

/** Returns the statement that inserts a table's initial row; empty for most tables. */
function initialRowOf({ kind, name }: SchemaObject): string {
  return kind === "table" && name === "assignment.settings"
    ? "insert into assignment.settings (default_trainer_id) values ('d18a21c8-be77-496f-a2fd-ec6479ecba6d')"
    : "";
}

/** Drops our trigger from other tables: after a swap of tables the old one still has it. */
async function removeStrayTriggers(
  transaction: Transaction,
  report: RepairReport,
) {
  const strays = await transaction<{ table: string }[]>`
    select tgrelid::regclass::text as table
    from pg_catalog.pg_trigger
    where tgfoid = to_regprocedure('assignment.tg_members__assign_trainer()')
      and tgrelid <> 'public.members'::regclass
      and tgparentid = 0
    order by 1
  `;
  for (const { table } of strays) {
    const drop = `drop trigger members_assign_trainer_after_insert on ${table}`;
    const what = `trigger members_assign_trainer_after_insert of ${table}, which is not public.members`;
    if (await attempt(transaction, drop, `${what}, must be removed by its owner (${drop})`, report)) {
      report.repaired.push(`${what}, is removed`);
    }
  }
}

async function recordMigrations(transaction: SqlOrTransaction): Promise<void> {
  await transaction`create table if not exists assignment.schema_migrations (version varchar primary key)`;
  const versions = (await listMigrations()).map(({ version }) => version);
  await transaction`
    insert into assignment.schema_migrations (version)
    select unnest(${versions}::text[])
    on conflict (version) do nothing
  `;
}

async function validate(
  sql: Sql,
  { table, name, definition }: SchemaObject,
  report: RepairReport,
): Promise<void> {
  const constraint = name.slice(`${table} `.length);
  try {
    await sql.unsafe(`alter table ${table} validate constraint ${constraint}`);
  } catch (error) {
    const [, column, target, key] =
      /^FOREIGN KEY \((\w+)\) REFERENCES (\S+)\((\w+)\)/.exec(definition ?? "") ?? [];
    const isViolated = error instanceof postgres.PostgresError && error.code === "23503" &&
      column !== undefined;
    if (!isViolated) {
      report.unrepaired.push(`constraint ${constraint} of ${table} is not validated: ${wordsOf(error)}`);
      return;
    }
    const orphans = `from ${table} a where not exists (select from ${target} t where t.${key} = a.${column})`;
    const [row] = await sql.unsafe<[{ rows: number }]>(`select count(*) as rows ${orphans}`);
    report.unrepaired.push(
      `constraint ${constraint} of ${table} holds for new rows, but ${row.rows} existing ones name a ${column} that is not in ` +
        `${target}: insert those there, or run: delete ${orphans}; then run this again`,
    );
  }
}

async function countUnassigned(sql: Sql): Promise<number> {
  const [row] = await sql<[{ members: number }]>`
    select count(*) as members
    from public.members m
    where not exists (
      select from public.trainer_client_assignments a where a.client_id = m.id and a.status = 'active'
    )
      and not exists (select from assignment.settings s where s.default_trainer_id = m.id)
  `;
  return row.members;
}
