import type { Sql } from "../database/sql.ts";
import { COLUMN_LIST } from "./client_columns.ts";

/** Which assignments: those that stand, those that were ended, or both. */
export type ClientStatus = "active" | "inactive" | "all";

/** Which part of a trainer's clients. */
export interface ClientPage {
  /** 1 to 10,000. */
  limit: number;
  /** The last assignment id already seen; none at the beginning. */
  after?: string | undefined;
  /** `active` by default. */
  status?: ClientStatus | undefined;
}

/**
 * The rows of one page of a trainer's clients, to select from. Each status is read in the order of its index and no further
 * than the page, so that a page of all costs no sort of all.
 */
export function selectClientPage(
  sql: Sql,
  trainerId: string,
  { limit, after, status = "active" }: ClientPage,
) {
  const statuses = status === "all" ? ["active", "inactive"] : [status];
  return sql`
    (
      select c.*
      from unnest(${statuses}::text[]) as asked (status)
      cross join lateral (
        select ${sql.unsafe(COLUMN_LIST)}
        from public.trainer_client_assignments
        where trainer_id = ${trainerId}
          and status = asked.status
          ${after === undefined ? sql`` : sql`and id > ${after}`}
        order by id
        limit ${limit}
      ) as c
      order by c.id
      limit ${limit}
    ) as clients
  `;
}
