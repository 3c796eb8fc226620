import postgres from "postgres";
import { OperatorError } from "../../errors.ts";
import { listMigrations, readMigration } from "../migration_files.ts";
import type { Sql, SqlOrTransaction } from "../sql.ts";
import { readCatalogWithin } from "./catalog.ts";
import { describeLack, findLacks, type Lack, withoutConsequences } from "./lacks.ts";
import { describeMembersTable, findMembersTable } from "./members_table.ts";
import { isForeignKey, mend } from "./mend.ts";
import { findMovedTables } from "./moved_tables.ts";
import { attempt, type RepairReport, type Transaction, wordsOf } from "./repair_report.ts";
import { closeToOthers, findServiceRoles, grantAgain } from "./repair_rights.ts";
import { readSchema, type SchemaObject } from "./schema_file.ts";

/**
 * Creates again what the migrations once made and is missing in the database, in one transaction, and keeps what data there is.
 * Foreign keys look at the rows that stand when that has committed, so that signups wait for milliseconds alone.
 * @throws {OperatorError} where it must not begin: the members, or a table of ours, are there under another name.
 */
export async function repairStructure(sql: Sql): Promise<RepairReport> {
  const { objects, rights } = await readSchema();
  const report: RepairReport = { mended: [], unmended: [], notes: [], unassigned: 0 };
  const lacks = await sql.begin(async (transaction) => {
    await requireMembers(transaction);
    await transaction`
      select set_config('lock_timeout', '5s', true), set_config('check_function_bodies', 'off', true)
    `;
    const lacks = findLacks(objects, await readCatalogWithin(transaction));
    await refuseMovedTables(transaction, lacks);
    const roles = await findServiceRoles(transaction);
    await mendAll(transaction, lacks, report);
    if (lacks.length > 0) {
      await removeStrayTriggers(transaction, report);
      for (const right of rights) await attempt(transaction, right, right, report);
      await closeToOthers(transaction, lacks, report);
      await grantAgain(transaction, roles, report);
    }
    await recordMigrations(transaction);
    return lacks;
  });
  for (const { object } of lacks.filter(({ object }) => isForeignKey(object))) {
    await validate(sql, object, report);
  }
  report.unassigned = await countUnassigned(sql);
  return report;
}

/** This migration looks whether the table can be adopted; on one that can, it does nothing else. */
async function requireMembers(transaction: SqlOrTransaction): Promise<void> {
  const problem = describeMembersTable(await findMembersTable(transaction));
  if (problem !== null) throw new OperatorError(problem);
  const adoption = (await listMigrations()).find(({ file }) => file.endsWith("_adopt_members.sql"));
  const { up } = await readMigration(adoption?.file ?? "");
  await transaction.unsafe(up).catch((error) =>
    Promise.reject(new OperatorError(wordsOf(error), { cause: error }))
  );
}

async function refuseMovedTables(transaction: SqlOrTransaction, lacks: Lack[]): Promise<void> {
  const missing = lacks.filter(({ object, found }) => object.kind === "table" && found === null);
  const moved = await findMovedTables(transaction, missing.map(({ object }) => object.name));
  if (moved.length === 0) return;
  throw new OperatorError(
    moved.map(({ name, now, remedy }) =>
      `table ${name} is missing, and ${now} seems to be it. If it is, run: ${remedy} If it is a copy, rename its primary key first.`
    ).join("\n"),
  );
}

async function mendAll(
  transaction: Transaction,
  lacks: Lack[],
  report: RepairReport,
): Promise<void> {
  const shown = new Set(withoutConsequences(lacks));
  const missing = new Set(lacks.filter(({ found }) => found === null).map(({ object }) => object.name));
  for (const lack of lacks) {
    const { object } = lack;
    const comesWithTable = object.table !== null && missing.has(object.table) &&
      (object.kind === "column" ||
        object.statement.includes(" ADD CONSTRAINT ") && object.definition?.startsWith("CHECK"));
    if (comesWithTable) continue;
    const statement = mend(lack);
    if (statement === null) {
      report.unmended.push(`${describeLack(lack)}: a person must decide; it should be ${object.definition}`);
      continue;
    }
    if (!await attempt(transaction, `${statement}; ${seedOf(object)}`, describeLack(lack), report)) continue;
    if (shown.has(lack)) report.mended.push(describeLack(lack));
    if (object.kind === "table") report.notes.push(...LOSSES[object.name] ?? []);
  }
}

/** What a table that is made anew does not bring back. */
const LOSSES: Record<string, string[]> = {
  "public.trainer_client_assignments": [
    "the assignments that were in public.trainer_client_assignments went with it: only a backup has them. The table is new and empty",
  ],
  "assignment.settings": [
    "the default trainer is the one of a new installation: set yours with PUT /v1/settings",
  ],
};

/** The one row that a migration inserts. */
function seedOf({ kind, name }: SchemaObject): string {
  return kind === "table" && name === "assignment.settings"
    ? "insert into assignment.settings (default_trainer_id) values ('d18a21c8-be77-496f-a2fd-ec6479ecba6d')"
    : "";
}

/** A swap of tables leaves the trigger on the old one. */
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
    if (await attempt(transaction, drop, `${what}, is its owner's to remove (${drop})`, report)) {
      report.mended.push(`${what}, is removed`);
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
      report.unmended.push(`constraint ${constraint} of ${table} is not validated: ${wordsOf(error)}`);
      return;
    }
    const orphans = `from ${table} a where not exists (select from ${target} t where t.${key} = a.${column})`;
    const [row] = await sql.unsafe<[{ rows: number }]>(`select count(*) as rows ${orphans}`);
    report.unmended.push(
      `constraint ${constraint} of ${table} holds for new rows, but ${row.rows} that stand name a ${column} that is not in ` +
        `${target}: put those back there, or run: delete ${orphans}; then this again`,
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
