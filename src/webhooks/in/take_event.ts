import type { MemberColumns } from "../../config/member_columns.ts";
import type { Sql } from "../../database/sql.ts";
import type { MemberEvent } from "./event.ts";

/** Why an event could not be taken. The last three hold for every event until an operator changes something. */
export const FAILURE_REASONS = [
  "id_missing",
  "value_missing",
  "email_taken",
  "refused",
  "column_missing",
  "not_granted",
  "table_unfit",
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

/** What became of an event. */
export type TakenEvent =
  | { outcome: "created" | "known" | "duplicate"; memberId: string }
  | { outcome: "refused"; memberId: string | null; reason: FailureReason; detail: string };

/**
 * Creates the member of an event with what the event and the table have, once, and remembers the event, all in one
 * statement. What the database refuses is kept in assignment.member_hook_failures.
 */
export async function takeMemberEvent(
  sql: Sql,
  { name, email }: MemberColumns,
  event: MemberEvent,
): Promise<TakenEvent> {
  const [row] = await sql<[TakenEvent]>`
    select outcome, member_id, reason, detail
    from assignment.take_member_event(
      ${event.id}, ${event.type}, ${event.memberId}, ${name?.column ?? null}, ${event.name}, ${
    email?.column ?? null
  },
      ${event.email}
    )
  `;
  return row;
}

/** Tells whether the reason holds for every event until an operator changes something. */
export function isOfTable(reason: FailureReason): boolean {
  return ["column_missing", "not_granted", "table_unfit"].includes(reason);
}
