import type { MemberColumns } from "../config/member_columns.ts";
import type { MemberHook } from "../config/member_hook.ts";
import type { PoolUse } from "../database/driver/pool.ts";
import type { Sql } from "../database/sql.ts";
import { checkHealth, type Health } from "./health.ts";

/** What health checks need. */
export interface HealthSources {
  sql: Sql;
  /** The connections for health; by default `sql`. */
  watchSql?: Sql;
  /** Where names and e-mails of members are; by default `display_name` and `email`. */
  memberColumns?: MemberColumns;
  /** How events of an identity provider are taken; by default they are not. */
  memberHook?: MemberHook | null;
  pools?: Readonly<Record<string, () => PoolUse>>;
}

/** Makes a health check whose simultaneous callers share one look at the database. */
export function shareHealthChecks(
  { sql, watchSql = sql, memberColumns, memberHook, pools }: HealthSources,
): () => Promise<Health> {
  let underWay: Promise<Health> | undefined;
  return () =>
    underWay ??= checkHealth(watchSql, { requests: pools?.api?.(), memberColumns, memberHook }).finally(() =>
      underWay = undefined
    );
}
