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

/** Of the default page and the longest one, each with the row that tells of a next page; of a chunk of an export. */
const USUAL_LIMITS = new Set([101, 1001, 2000]);

/**
 * The rows of one page of a trainer's clients, to select from. Each status is read in the order of its index and no further
 * than the page, so that a page of all costs no sort of all.
 *
 * A trainer's part of the index is one range between two rows, sorted by all of its columns. No other index has
 * that order, so no statistics lead to another plan, and the sub-selects hide the values from the planner.
 * On a cluster each shard reads its part of the page, by plain conditions: sub-selects would be sent to all of them first.
 * @param options.keepsPlan makes the server keep its plan rather than plan each page anew, by a limit in the text. Only for
 * a large table: the plan for a small one sorts all clients.
 */
export function selectClientPage(
  sql: Sql,
  trainerId: string,
  { limit, after, status = "active" }: ClientPage,
  { keepsPlan = false, onCluster = false } = {},
) {
  const rows = keepsPlan && USUAL_LIMITS.has(limit) ? sql.unsafe(String(limit)) : sql`${limit}`;
  const select = (status: "active" | "inactive") => {
    if (onCluster) {
      return sql`
        (
          select tableoid, trainer_id, ${sql.unsafe(COLUMN_LIST)}
          from public.trainer_client_assignments
          where trainer_id = ${trainerId}
            and status = ${status}
            ${after === undefined ? sql`` : sql`and id > ${after}`}
          order by trainer_id, status, id
          limit ${rows}
        )
      `;
    }
    const bound = sql`(select ${trainerId}::uuid), ${sql.unsafe(`'${status}'`)}`;
    return sql`
      (
        select tableoid, trainer_id, ${sql.unsafe(COLUMN_LIST)}
        from public.trainer_client_assignments
        where ${
      after === undefined
        ? sql`(trainer_id, status) >= (${bound})`
        : sql`(trainer_id, status, id) > (${bound}, (select ${after}::uuid))`
    }
          and (trainer_id, status) <= (${bound})
        order by trainer_id, status, id
        limit ${rows}
      )
    `;
  };
  if (status !== "all") return sql`${select(status)} as clients`;
  return sql`
    (
      select *
      from (${select("active")} union all ${select("inactive")}) as both_statuses
      order by id
      limit ${rows}
    ) as clients
  `;
}

/** The order of the page's rows, in which the server has them already. */
export function clientOrder(sql: Sql, { status }: ClientPage) {
  return status === "all" ? sql`id` : sql`trainer_id, status, id`;
}
