import postgres from "postgres";
import type { Sql } from "../database/sql.ts";
import type { PoolUse } from "../database/driver/pool.ts";
import { pendingMigrations } from "../database/migrate.ts";
import { type Access, describeAccess, readAccess } from "./access.ts";

/** `degraded`: it works, but somebody should look; `failed`: it cannot work. */
export type CheckStatus = "ok" | "degraded" | "failed";
export type CheckName = "database" | "migrations" | "trigger" | "defaultTrainer" | "failures" | "access";

export interface Health {
  status: "ready" | "degraded" | "unavailable";
  /** Each with what was found and, where it is not ok, what to do. */
  checks: Record<CheckName, { status: CheckStatus; detail: string }>;
}

interface Findings {
  trigger: "enabled" | "disabled" | "missing";
  /** How members come in past an enabled trigger, as far as the database's catalogs tell. */
  bypass: "subscription" | "replica_role" | null;
  /** Tables from which `assignment.watch` should mirror members, and does not. */
  notMirrored: string | null;
  trainerExists: boolean;
  failures: number;
  oldestFailure: Date | null;
}

const timeoutMs = 3000;
/** A request that has waited so long for a connection has met more than a burst. */
const longWaitMs = 500;

/**
 * Looks at all that auto-assignment depends on. Never throws; answers within three seconds whatever the database does.
 * @param requests how the connections for requests are used, where that is known
 */
export async function checkHealth(sql: Sql, requests?: PoolUse): Promise<Health> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("timeout")), timeoutMs);
  });
  try {
    return await Promise.race([look(sql, requests), timeout]);
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
        trigger: unknown,
        defaultTrainer: unknown,
        failures: unknown,
        access: unknown,
      },
    };
  } finally {
    clearTimeout(timer);
  }
}

async function look(sql: Sql, requests?: PoolUse): Promise<Health> {
  const pending = await pendingMigrations(sql);
  const access = await readAccess(sql);
  const checks: Health["checks"] = {
    database: describeDatabase(requests),
    migrations: pending.length === 0
      ? { status: "ok", detail: "up to date" }
      : { status: "degraded", detail: `${pending.length} pending: run deno task migrate` },
    ...(await isInstalled(sql) ? describe(await find(sql), access) : notInstalled),
    access: describeAccess(access),
  };
  const isDegraded = Object.values(checks).some((check) => check.status !== "ok");
  return { status: isDegraded ? "degraded" : "ready", checks };
}

/** A pool that is full for a moment is nothing; one before which requests wait for long is. */
function describeDatabase(requests?: PoolUse) {
  if (requests === undefined || requests.longestWaitMs < longWaitMs) {
    return { status: "ok", detail: "answers" } as const;
  }
  const detail =
    `answers, but all ${requests.size} connections for requests are in use and ${requests.waiting} wait: ` +
    "see what they wait for with: select pid, wait_event_type, query from pg_stat_activity";
  return { status: "degraded", detail } as const;
}

const notInstalled = {
  trigger: { status: "degraded", detail: "missing: run deno task migrate" },
  defaultTrainer: { status: "degraded", detail: "none: run deno task migrate" },
  failures: { status: "degraded", detail: "not recorded: run deno task migrate" },
} as const;

async function isInstalled(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ installed: boolean }]>`
    select to_regclass('assignment.settings') is not null and to_regclass('assignment.failures') is not null as installed
  `;
  return row.installed;
}

async function find(sql: Sql): Promise<Findings> {
  return await sql.begin("read only", async (transaction) => {
    // A look at a locked table must not go on when nobody waits for it any more: each would keep a connection.
    await transaction`select set_config('statement_timeout', ${String(timeoutMs)}, true)`;
    const [findings] = await transaction<[Findings]>`
      select
        coalesce(
          (
            select case when tgenabled in ('O', 'A') then 'enabled' else 'disabled' end
            from pg_catalog.pg_trigger
            where tgrelid = to_regclass('public.members')
              and tgname = 'members_assign_trainer_after_insert'
          ),
          'missing'
        ) as trigger,
        case
          when exists (
            select from pg_catalog.pg_subscription_rel where srrelid = to_regclass('public.members')
          ) then 'subscription'
          when exists (
            select
            from pg_catalog.pg_db_role_setting
            where setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
              and 'session_replication_role=replica' = any (setconfig)
          ) and not exists (
            select
            from pg_catalog.pg_trigger
            where tgrelid = to_regclass('public.members')
              and tgname = 'members_assign_trainer_after_insert'
              and tgenabled = 'A'
          ) then 'replica_role'
        end as bypass,
        (
          select string_agg(distinct tgrelid::regclass::text, ', ')
          from pg_catalog.pg_trigger
          where tgfoid = to_regprocedure('assignment.tg_watched__mirror_members()')
            and tgenabled not in ('O', 'A')
        ) as not_mirrored,
        exists (
          select from public.members m join assignment.settings s on s.default_trainer_id = m.id
        ) as trainer_exists,
        (select count(*) from assignment.failures) as failures,
        (select min(first_failed_at) from assignment.failures) as oldest_failure
    `;
    return findings;
  });
}

const triggerRemedy = {
  disabled: "run: alter table public.members enable trigger members_assign_trainer_after_insert",
  missing: "run the create trigger statement of db/migrations/20261123000900_create_members_trigger.sql",
};

const bypasses = {
  subscription:
    "enabled, but a subscription applies rows to members, for which it does not fire: the schedule assigns those",
  replica_role:
    "enabled, but session_replication_role = replica is set for a role or database, for which it does not fire: reset it",
};

function describe(
  { trigger, bypass, notMirrored, trainerExists, failures, oldestFailure }: Findings,
  access: Access | null,
) {
  return {
    trigger: describeTrigger({ trigger, bypass, notMirrored }),
    defaultTrainer: trainerExists
      ? { status: "ok", detail: "is a member" }
      : access?.hidden
      ? { status: "degraded", detail: `may be a member, but cannot be seen: ${access.hidden}` }
      : { status: "degraded", detail: "is no member: insert them, or set another with PUT /v1/settings" },
    failures: failures === 0 ? { status: "ok", detail: "none waiting" } : {
      status: "degraded",
      detail: `${failures} waiting for a retry, the oldest since ${oldestFailure?.toISOString()}`,
    },
  } satisfies Partial<Health["checks"]>;
}

function describeTrigger(
  { trigger, bypass, notMirrored }: Pick<Findings, "trigger" | "bypass" | "notMirrored">,
) {
  if (trigger !== "enabled") {
    const detail = `${trigger}: new members are not assigned until the next backfill; ${
      triggerRemedy[trigger]
    }`;
    return { status: "degraded", detail } as const;
  }
  if (bypass !== null) return { status: "degraded", detail: bypasses[bypass] } as const;
  if (notMirrored !== null) {
    const detail = `enabled, but rows of ${notMirrored} are not mirrored into members: ` +
      "enable the triggers mirror_members_after_insert and _delete there, then run assignment.watch again";
    return { status: "degraded", detail } as const;
  }
  return { status: "ok", detail: "enabled" } as const;
}
