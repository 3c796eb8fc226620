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

/**
 * Checks the health, in a look at the database that simultaneous callers share.
 * @param maxAgeMs takes the last look if it began within this time; 0 (the default) waits for the one under way,
 * or a new one
 */
export type CheckHealth = (maxAgeMs?: number) => Promise<Health>;

/** Makes a health check for all who ask: probes, scrapes and people. */
export function shareHealthChecks(
  { sql, watchSql = sql, memberColumns, memberHook, pools }: HealthSources,
): CheckHealth {
  let underWay: Promise<Health> | undefined;
  let latest: { health: Health; at: number } | undefined;

  async function look(): Promise<Health> {
    const at = performance.now();
    const health = await checkHealth(watchSql, { requests: pools?.api?.(), memberColumns, memberHook });
    latest = { health, at };
    return health;
  }

  return async (maxAgeMs = 0) => {
    if (latest !== undefined && performance.now() - latest.at < maxAgeMs) return latest.health;
    return await (underWay ??= look().finally(() => underWay = undefined));
  };
}
