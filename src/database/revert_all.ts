import { join } from "node:path";
import postgres from "postgres";
import { OperatorError } from "../errors.ts";
import { revertDistribution } from "./citus.ts";
import { listMigrations, readMigration } from "./migration_files.ts";
import { findRemedy } from "./refusals.ts";
import type { Sql } from "./sql.ts";

/** Tells whether any of our objects exist; the record of migrations does not count. */
export async function isInstalled(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ hasFunctions: boolean }]>`
    select exists (
      select
      from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'assignment'
    ) as has_functions
  `;
  return row.hasFunctions || await hasAssignmentsTable(sql);
}

/**
 * Tells whether our `public.trainer_client_assignments` exists. An application's own table of that name does
 * not count.
 */
export async function hasAssignmentsTable(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ isThere: boolean }]>`
    select exists (
      select
      from pg_catalog.pg_attribute
      where attrelid = to_regclass('public.trainer_client_assignments')
        and attname = 'backfill_run_id'
        and not attisdropped
    ) as is_there
  `;
  return row.isThere;
}

/** Counts the assignments, including ended ones, that {@link revertAll} would delete. */
export async function countAssignments(sql: Sql): Promise<number> {
  if (!await hasAssignmentsTable(sql)) return 0;
  const [row] = await sql<[{ assignments: number }]>`
    select count(*) as assignments from public.trainer_client_assignments
  `;
  return row.assignments;
}

/**
 * Reverts every migration in one transaction, newest first, and drops the schema `assignment`. It works from
 * any state: each down drops what exists, whether or not its migration is recorded as applied.
 * @throws {OperatorError} with the migration's file and the database's message. Nothing is removed then.
 */
export async function revertAll(sql: Sql): Promise<void> {
  await sql.begin(async (transaction) => {
    await revertDistribution(transaction).catch((error) =>
      Promise.reject(explain(error, "db/citus/down.sql"))
    );
    for (const { file } of (await listMigrations()).toReversed()) {
      const { down } = await readMigration(file);
      await transaction.unsafe(down).catch((error) =>
        Promise.reject(explain(error, join("db/migrations", file)))
      );
    }
    await transaction.unsafe(`
      drop table if exists assignment.schema_migrations;
      drop schema if exists assignment;
    `).catch((error) => Promise.reject(explain(error, "drop schema assignment")));
  });
}

/** Adds the detail of the error, which names the application's objects that depend on ours. */
function explain(error: unknown, what: string): unknown {
  if (!(error instanceof postgres.PostgresError)) return error;
  const remedy = findRemedy(error);
  const words = [error.message, error.detail, remedy].filter((each) => each !== undefined && each !== null);
  return new OperatorError(`${what}: ${words.join(": ")}`, { cause: error });
}
