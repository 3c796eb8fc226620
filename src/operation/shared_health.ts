import type { PoolUse } from "../database/driver/pool.ts";
import type { Sql } from "../database/sql.ts";
import { checkHealth, type Health } from "./health.ts";

/** What health is looked at through. */
export interface HealthSources {
  sql: Sql;
  /** By default `sql`. */
  watchSql?: Sql;
  pools?: Readonly<Record<string, () => PoolUse>>;
}

/** Looks at health for anybody, however often they ask: all who ask at the same time share one look at the database. */
export function shareHealthChecks({ sql, watchSql = sql, pools }: HealthSources): () => Promise<Health> {
  let underWay: Promise<Health> | undefined;
  return () => underWay ??= checkHealth(watchSql, pools?.api?.()).finally(() => underWay = undefined);
}
