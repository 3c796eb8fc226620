import postgres from "postgres";
import type { Sql } from "../database/sql.ts";
import type { MemberHook } from "../config/member_hook.ts";
import { DEFAULT_MEMBER_COLUMNS, type MemberColumns } from "../config/member_columns.ts";
import { inTime } from "../deadline.ts";
import type { PoolUse } from "../database/driver/pool.ts";
import { findHealth } from "./health_findings.ts";
import { type Check, type CheckName, describeFindings } from "./health_wording.ts";

export type { Check, CheckName };

/** What a look does not find in the database. */
export interface HealthContext {
  /** How the connections for requests are used, if known. */
  requests?: PoolUse | undefined;
  /** Where names and e-mails of members are to be read. */
  memberColumns?: MemberColumns | undefined;
  /** How events of an identity provider are taken; by default they are not. */
  memberHook?: MemberHook | null | undefined;
}

export interface Health {
  status: "ready" | "degraded" | "unavailable";
  /** Each says what was found and, unless it is ok, what to do. */
  checks: Record<CheckName, Check>;
}

const TIMEOUT_MS = 3000;
/** A request that waits this long for a connection is a sign of more than a burst. */
const LONG_WAIT_MS = 500;

/**
 * Checks everything that auto-assignment depends on. Never throws. Answers within three seconds, even if the
 * database does not.
 */
export async function checkHealth(sql: Sql, context: HealthContext = {}): Promise<Health> {
  try {
    return await inTime(look(sql, context), TIMEOUT_MS, () => new Error("timeout"));
  } catch (error) {
    const answer = error instanceof postgres.PostgresError && error.code !== "57014"
      ? `refuses, SQLSTATE ${error.code}`
      : "does not answer";
    const unknown = { status: "failed", detail: `unknown while the database ${answer}` } as const;
    return {
      status: "unavailable",
      checks: {
        database: { status: "failed", detail: `the database ${answer}` },
        migrations: unknown,
        schema: unknown,
        trigger: unknown,
        defaultTrainer: unknown,
        policy: unknown,
        failures: unknown,
        access: unknown,
        names: unknown,
        memberHook: unknown,
      },
    };
  }
}

async function look(
  sql: Sql,
  { requests, memberColumns = DEFAULT_MEMBER_COLUMNS, memberHook = null }: HealthContext,
): Promise<Health> {
  const findings = await findHealth(sql, memberColumns, memberHook, TIMEOUT_MS);
  const checks = { database: describeDatabase(requests), ...describeFindings(findings) };
  const isDegraded = Object.values(checks).some((check) => check.status !== "ok");
  return { status: isDegraded ? "degraded" : "ready", checks };
}

/** Describes the check `database`: degraded while requests wait long for a connection. */
function describeDatabase(requests?: PoolUse) {
  if (requests === undefined || requests.longestWaitMs < LONG_WAIT_MS) {
    return { status: "ok", detail: "answers" } as const;
  }
  const detail =
    `answers, but all ${requests.size} connections for requests are in use and ${requests.waiting} wait: ` +
    "see what they wait for with: select pid, wait_event_type, query from pg_stat_activity";
  return { status: "degraded", detail } as const;
}
