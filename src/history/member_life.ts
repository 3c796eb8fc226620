import type { HistoryEntry } from "../assignments/member_history.ts";
import type { Sql } from "../database/sql.ts";
import type { AuditLine } from "./audit_lines.ts";

/** Something that happened to a member. */
export type LifeEvent =
  & { key: string; at: Date }
  & (
    | { kind: "assigned" | "ended"; assignment: HistoryEntry }
    | { kind: "failed"; runId: string; sqlstate: string; message: string }
    | { kind: "changed"; line: Pick<AuditLine, "id" | "actor" | "action" | "after"> }
  );

interface Row extends HistoryEntry {
  key: string;
  at: Date;
  kind: LifeEvent["kind"];
  eventId: string;
  sqlstate: string;
  message: string;
  actor: string;
  action: AuditLine["action"];
  after: string | null;
}

/**
 * Lists what happened to a member, the newest first: assignments made and ended, attempts of runs that failed, and changes past
 * the service.
 * @param page.limit 1 to 1,000; `page.after` is the key of the last event already seen
 */
export async function listMemberLife(
  sql: Sql,
  memberId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<LifeEvent[]> {
  // Materialized, for else the planner may walk all assignments in the order of their ids.
  const rows = await sql<Row[]>`
    with own as materialized (
      select * from public.trainer_client_assignments where client_id = ${memberId}
    ),
    events as (
      select a.assignment_date as at, a.id as event_id, 1 as step, 'assigned' as kind from own a
      union all
      select coalesce(a.ended_at, a.assignment_date), a.id, 2, 'ended' from own a where a.status = 'inactive'
      union all
      select r.requested_at, e.run_id, 1, 'failed'
      from assignment.backfill_errors e
      join assignment.backfill_runs r on r.id = e.run_id
      where e.member_id = ${memberId}
      union all
      select l.at, l.id, 1, 'changed'
      from assignment.audit_log l
      where l.action in ('assignments.changed', 'assignments.deleted')
        and l.id in (
          select s.line_id from assignment.audit_subjects s where s.subject in (select 'assignment:' || a.id from own a)
        )
    ),
    keyed as materialized (
      select e.*, md5(e.step || e.kind || e.event_id)::uuid as key from events e
    ),
    page as (
      select k.*
      from keyed k
      where ${after ?? null}::uuid is null
        or (k.at, k.event_id, k.step) < (select s.at, s.event_id, s.step from keyed s where s.key = ${
    after ?? null
  }::uuid)
      order by k.at desc, k.event_id desc, k.step desc
      limit ${limit}
    )
    select
      page.key,
      page.at,
      page.kind,
      page.event_id,
      own.id,
      own.trainer_id,
      own.status,
      own.assignment_date,
      own.source,
      own.assigned_by,
      own.backfill_run_id,
      own.policy_version,
      own.rule,
      r.name as rule_name,
      own.ended_at,
      own.ended_by,
      own.ended_because,
      own.ended_run_id,
      own.notes,
      e.sqlstate,
      e.message,
      l.actor,
      l.action,
      l.after::text  -- as text, for the driver would rename the keys of json
    from page
    left join own on own.id = page.event_id and page.kind in ('assigned', 'ended')
    left join assignment.policy_rules r on r.version = own.policy_version and r.rule = own.rule
    left join assignment.backfill_errors e
      on e.run_id = page.event_id and e.member_id = ${memberId} and page.kind = 'failed'
    left join assignment.audit_log l on l.id = page.event_id and page.kind = 'changed'
    order by page.at desc, page.event_id desc, page.step desc
  `;
  return rows.map(toEvent);
}

function toEvent(row: Row): LifeEvent {
  const { key, at, kind, eventId, sqlstate, message, actor, action, after, ...assignment } = row;
  switch (kind) {
    case "failed":
      return { key, at, kind, runId: eventId, sqlstate, message };
    case "changed":
      return {
        key,
        at,
        kind,
        line: { id: eventId, actor, action, after: after === null ? null : JSON.parse(after) },
      };
    default:
      return { key, at, kind, assignment };
  }
}
