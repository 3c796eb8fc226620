import postgres from "postgres";
import type { Sql } from "../database/sql.ts";
import type { MemberHook } from "../config/member_hook.ts";
import { DEFAULT_MEMBER_COLUMNS, type MemberColumns } from "../config/member_columns.ts";
import { inTime } from "../deadline.ts";
import { errorCode } from "../errors.ts";
import { CANCELED } from "../database/error_kinds.ts";
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
const SEE_WAITS = "see what they wait for with: select pid, wait_event_type, query from pg_stat_activity";
/** A request that waits this long for a connection is a sign of more than a burst. */
const LONG_WAIT_MS = 500;

/**
 * Checks everything that auto-assignment depends on. Never throws. Answers within three seconds, even if the
 * database does not. A database that answers, but is too slow to tell all by then, is degraded: the service still works.
 */
export async function checkHealth(sql: Sql, context: HealthContext = {}): Promise<Health> {
  const late = new Error("late");
  let answers = false;
  const looked = (async () => {
    await sql`select`;
    answers = true;
    return await look(sql, context);
  })();
  try {
    return await inTime(looked, TIMEOUT_MS, () => late);
  } catch (error) {
    const isLate = error === late || errorCode(error) === CANCELED;
    if (isLate && answers) {
      const slow = `answers, but its sessions are too slow to tell all within ${TIMEOUT_MS / 1000} s`;
      return unknownHealth("degraded", `${slow}: ${SEE_WAITS}`, "unknown while the database is that slow");
    }
    const answer = error instanceof postgres.PostgresError && !isLate
      ? `refuses, SQLSTATE ${error.code}`
      : "does not answer";
    return unknownHealth("failed", `the database ${answer}`, `unknown while the database ${answer}`);
  }
}

/** What is known when the look did not end: only something of the database. */
function unknownHealth(status: "degraded" | "failed", ofDatabase: string, ofOthers: string): Health {
  const unknown = { status, detail: ofOthers };
  return {
    status: status === "failed" ? "unavailable" : "degraded",
    checks: {
      database: { status, detail: ofDatabase },
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
    SEE_WAITS;
  return { status: "degraded", detail } as const;
}
