import type { Sql } from "../../database/sql.ts";
import type { FailureReason } from "./take_event.ts";

/** A signed event that could not be taken. */
export interface EventFailure {
  id: string;
  eventId: string;
  eventType: string;
  /** Who would have been created; null if the event names nobody. */
  memberId: string | null;
  reason: FailureReason;
  /** What to do. */
  detail: string;
  attempts: number;
  firstFailedAt: Date;
  lastFailedAt: Date;
}

/** Lists events that could not be taken, the newest first. @param page.after the last id already seen */
export async function listEventFailures(
  sql: Sql,
  { limit, after }: { limit: number; after: string | undefined },
): Promise<EventFailure[]> {
  return await sql<EventFailure[]>`
    select id, event_id, event_type, member_id, reason, detail, attempts, first_failed_at, last_failed_at
    from assignment.member_hook_failures
    where ${after ?? null}::uuid is null or id < ${after ?? null}
    order by id desc
    limit ${limit}
  `;
}
