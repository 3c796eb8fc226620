import type { Sql } from "../database/sql.ts";
import { AppError } from "../errors.ts";
import type { ClientStatus } from "./client_page.ts";

/** One assignment of a member, to whichever trainer, and why it was made. */
export interface HistoryEntry {
  id: string;
  trainerId: string;
  status: "active" | "inactive";
  assignmentDate: Date;
  /** Null while it is active, and if another program made it inactive. */
  endedAt: Date | null;
  /** What assigned: `trigger`, `retry`, `backfill`, `manual` or `signup`. */
  source: string;
  backfillRunId: string | null;
  /** The version of the policy that chose the trainer; null if the trainer was named. */
  policyVersion: number | null;
  /** The rule of that version, by its position from 1; null: the default trainer, or a trainer who was named. */
  rule: number | null;
  /** The rule's name in that version. */
  ruleName: string | null;
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
      own.ended_at,
      own.source,
      own.backfill_run_id,
      own.policy_version,
      own.rule,
      r.name as rule_name,
      own.notes
    from own
    left join assignment.policy_rules r on r.version = own.policy_version and r.rule = own.rule
    order by own.id desc
    limit ${limit}
  `;
  if (entries.length === 0) await requireMember(sql, memberId);
  return [...entries];
}

async function requireMember(sql: Sql, memberId: string): Promise<void> {
  const found = await sql`select from public.members where id = ${memberId}`;
  if (found.length === 0) throw new AppError("member_not_found", `member ${memberId} does not exist`);
}
