import type { Sql } from "../database/sql.ts";
import { AppError } from "../errors.ts";
import type { ClientStatus } from "./client_page.ts";

/** One assignment of a member, to whichever trainer, and why it was made. */
export interface HistoryEntry {
  id: string;
  /** Null: the trainer is no longer a member. */
  trainerId: string | null;
  status: "active" | "inactive";
  assignmentDate: Date;
  /** What assigned: `trigger`, `retry`, `backfill`, `transfer`, `manual` or `signup`. */
  source: string;
  /** Who assigned: as an actor of the audit log, or `trigger` or `retry`. */
  assignedBy: string;
  backfillRunId: string | null;
  /** The version of the policy that chose the trainer; null if the trainer was named. */
  policyVersion: number | null;
  /** The rule of that version, by its position from 1; null: the default trainer, or a trainer who was named. */
  rule: number | null;
  /** The rule's name in that version. */
  ruleName: string | null;
  /** Null while it is active, as the next three. */
  endedAt: Date | null;
  /** Who ended it. */
  endedBy: string | null;
  /** `manual`, `transfer`, `reassign`, or `direct`: past the service. */
  endedBecause: string | null;
  /** The run that ended it, for `transfer` and `reassign`. */
  endedRunId: string | null;
  notes: string | null;
}

/**
 * Lists a member's assignments, the newest first.
 * @param page.limit 1 to 10,000; `page.after` is the last assignment id already seen; `page.status` is `all` by default
 * @throws {AppError} `member_not_found`
 */
export async function listMemberHistory(
  sql: Sql,
  memberId: string,
  { limit, after, status = "all" }: {
    limit: number;
    after?: string | undefined;
    status?: ClientStatus | undefined;
  },
): Promise<HistoryEntry[]> {
  // Materialized, for else the planner may walk all assignments in the order of their ids.
  const entries = await sql<HistoryEntry[]>`
    with own as materialized (
      select *
      from public.trainer_client_assignments
      where client_id = ${memberId}
        ${status === "all" ? sql`` : sql`and status = ${status}`}
        ${after === undefined ? sql`` : sql`and id < ${after}`}
    )
    select
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
      own.notes
    from own
    left join assignment.policy_rules r on r.version = own.policy_version and r.rule = own.rule
    order by own.id desc
    limit ${limit}
  `;
  if (entries.length === 0) await requireMember(sql, memberId);
  return [...entries];
}

/** Requires that the member exists. @throws {AppError} `member_not_found` */
export async function requireMember(sql: Sql, memberId: string): Promise<void> {
  const found = await sql`select from public.members where id = ${memberId}`;
  if (found.length === 0) throw new AppError("member_not_found", `member ${memberId} does not exist`);
}
