import type { Sql } from "../database/sql.ts";
import type { RunError } from "./progress.ts";
import { getRun } from "./runs.ts";

/**
 * Lists the failed members of a run, by member id. A run records the first 10,000.
 * @throws {AppError} `run_not_found`
 */
export async function listRunErrors(
  sql: Sql,
  id: string,
  page: { limit: number; after?: string | undefined },
): Promise<RunError[]> {
  const errors = await sql<RunError[]>`
    select member_id, sqlstate as code, message
    from assignment.backfill_errors
    where run_id = ${id}
      ${page.after === undefined ? sql`` : sql`and member_id > ${page.after}`}
    order by member_id
    limit ${page.limit}
  `;
  if (errors.length === 0) await getRun(sql, id);
  return [...errors];
}

/** Lists the clients that a transfer was asked to move, by id; none where it was not asked for some only. */
export async function listSelected(sql: Sql, id: string): Promise<string[]> {
  const rows = await sql<{ memberId: string }[]>`
    select member_id
    from assignment.backfill_selected
    where run_id = ${id}
    order by member_id
  `;
  return rows.map(({ memberId }) => memberId);
}
