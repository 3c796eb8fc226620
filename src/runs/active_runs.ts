import type { Sql } from "../database/sql.ts";
import type { Run } from "./progress.ts";
import { getRun } from "./runs.ts";

const MOST_RUNS = 10;

/** Lists the first ten runs that have not ended, oldest first. There is at most one per trainer, and one by the policy. */
export async function listActiveRuns(sql: Sql): Promise<Run[]> {
  const rows = await sql<{ id: string }[]>`
    select id
    from assignment.backfill_runs
    where status in ('running', 'paused')
    order by id
    limit ${MOST_RUNS}
  `;
  return await Promise.all(rows.map(({ id }) => getRun(sql, id)));
}
