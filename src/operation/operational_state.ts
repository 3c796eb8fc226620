import { onServerOrCluster } from "../database/distributed.ts";
import type { Sql } from "../database/sql.ts";
import type { RunKind } from "../runs/progress.ts";
import { COUNTED_FAILURES, readWaitingFailuresOfShards, type WaitingFailures } from "./waiting_failures.ts";

/** The current state that an operator watches. */
export interface OperationalState {
  /** Whether the trigger fires for every new member, as far as known. */
  isTriggerEnabled: boolean;
  /** Auto-assignments that wait for a retry. */
  failures: WaitingFailures;
  /** When the latest slot of the schedule was claimed; null: never. */
  reconciledAt: Date | null;
  /** How many seats that slot found out of step with the trainers' clients, and repaired; null: never. */
  repairedSeats: number | null;
  /** Runs that have not ended, of each kind at most one per trainer, and one backfill by the policy; the first ten. */
  runs: {
    kind: RunKind;
    /** Of a transfer: the trainer whose clients it moves. Null: a backfill by the policy. */
    trainerId: string | null;
    status: "running" | "paused";
    total: number;
    successful: number;
    skipped: number;
    failed: number;
    isThrottled: boolean;
  }[];
  /** Changes that no message tells of yet, because the outbox refused it; counted up to 10,001. */
  outboxGaps: number;
  /** The newest hundred. */
  webhooks: {
    id: string;
    /** Whether messages are sent to it, not fetched. */
    hasUrl: boolean;
    enabled: boolean;
    isDisabledByService: boolean;
    pending: number;
    failed: number;
    /** How long the oldest message has waited; null: none waits. */
    oldestPendingSeconds: number | null;
    /** How long it has failed without a success; null: it does not fail. */
    failingSeconds: number | null;
  }[];
  /** Open connections of this program, of all pools and replicas. `active` ones run a statement. */
  connections: { active: number; idle: number; inTransaction: number };
}

type Row =
  & Omit<OperationalState, "connections" | "failures">
  & OperationalState["connections"]
  & WaitingFailures;

const NO_FAILURES =
  "select 0 as no_room, null::timestamptz as no_room_since, 0 as other, null::timestamptz as other_since";

/** Reads the state in one statement, on a cluster in two; cheap for any number of members and messages. */
export async function readOperationalState(sql: Sql): Promise<OperationalState> {
  return await onServerOrCluster(sql, () => readAll(sql), async () => {
    const [state, failures] = await Promise.all([
      readAll(sql, { countsFailures: false }),
      readWaitingFailuresOfShards(sql),
    ]);
    return { ...state, failures };
  });
}

async function readAll(sql: Sql, { countsFailures = true } = {}): Promise<OperationalState> {
  const failures = sql.unsafe(countsFailures ? COUNTED_FAILURES : NO_FAILURES);
  const [row] = await sql<[Row]>`
    select
      (select is_fine from assignment.members_trigger) as is_trigger_enabled,
      f.no_room,
      f.no_room_since,
      f.other,
      f.other_since,
      r.claimed_at as reconciled_at,
      r.repaired_seats,
      (select count(*) from (select 1 from assignment.outbox_gaps limit 10001) as counted) as outbox_gaps,
      (
        select coalesce(
          jsonb_agg(jsonb_build_object(
            'id', id, 'hasUrl', url is not null, 'enabled', enabled, 'isDisabledByService', disabled_because is not null,
            'pending', pending, 'failed', failed,
            'oldestPendingSeconds', extract(epoch from now() - oldest_pending_at),
            'failingSeconds', extract(epoch from now() - failing_since)
          )),
          '[]'
        )
        from (select * from assignment.webhook_states order by id desc limit 100) as newest
      ) as webhooks,
      (
        select coalesce(
          jsonb_agg(jsonb_build_object(
            'kind', kind, 'trainerId', coalesce(from_trainer_id, trainer_id), 'status', status, 'total', total, 'successful', successful, 'skipped', skipped,
            'failed', failed, 'isThrottled', throttled_because is not null
          )),
          '[]'
        )
        from (
          select * from assignment.backfill_progress where status in ('running', 'paused') order by id limit 10
        ) as unfinished
      ) as runs,
      c.*
    from (${failures}) as f
    left join (
      select claimed_at, repaired_seats from assignment.reconciliations order by slot desc limit 1
    ) as r on true
    cross join (
      select
        count(*) filter (where state = 'active') as active,
        count(*) filter (where state = 'idle') as idle,
        count(*) filter (where state like 'idle in transaction%') as in_transaction
      from pg_catalog.pg_stat_activity
      where datname = current_database()
        and usename = current_user
        and split_part(application_name, ':', 1) = split_part(current_setting('application_name'), ':', 1)
    ) as c
  `;
  const { active, idle, inTransaction, noRoom, noRoomSince, other, otherSince, ...state } = row;
  return {
    ...state,
    failures: { noRoom, noRoomSince, other, otherSince },
    connections: { active, idle, inTransaction },
  };
}
