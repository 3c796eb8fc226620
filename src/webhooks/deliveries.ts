import { type By, toActor } from "../actor.ts";
import type { Sql } from "../database/sql.ts";
import { withAppErrors } from "../errors.ts";

/** What becomes of a message at an endpoint. */
export interface Delivery {
  messageId: string;
  type: string;
  /** When the change was made that it tells of. */
  at: Date;
  /** `dropped`: there is nothing left to tell, because the members it told of are deleted. */
  status: "pending" | "delivered" | "failed" | "dropped";
  attempts: number;
  nextAttemptAt: Date | null;
  lastAttemptAt: Date | null;
  /** The HTTP status of the last answer; null: there was none. */
  lastStatus: number | null;
  lastError: string | null;
  /** The first 2,000 characters of the last answer. */
  lastAnswer: string | null;
  lastTookMs: number | null;
  endedAt: Date | null;
  /** What is sent, made from the rows as they are now; null when nothing is left to tell. */
  body: Record<string, unknown> | null;
}

/** Lists the deliveries of an endpoint, the newest message first; `after` is the last message id already seen. */
export async function listDeliveries(
  sql: Sql,
  endpointId: string,
  page: { limit: number; after?: string | undefined; status?: Delivery["status"] | undefined },
): Promise<Delivery[]> {
  const rows = await sql<(Omit<Delivery, "body"> & { body: string | null })[]>`
    select
      d.message_id,
      m.type,
      m.at,
      d.status,
      d.attempts,
      d.next_attempt_at,
      d.last_attempt_at,
      d.last_status,
      d.last_error,
      d.last_answer,
      d.last_took_ms,
      d.ended_at,
      assignment.read_message(m.id)::text as body
    from assignment.deliveries d
    join assignment.outbox m on m.id = d.message_id
    where d.endpoint_id = ${endpointId}
      ${page.after === undefined ? sql`` : sql`and d.message_id < ${page.after}`}
      ${page.status === undefined ? sql`` : sql`and d.status = ${page.status}`}
    order by d.message_id desc
    limit ${page.limit}
  `;
  return rows.map(({ body, ...delivery }) => ({
    ...delivery,
    body: body === null ? null : JSON.parse(body),
  }));
}

/**
 * Sends again: one message, or all that failed since a time.
 * @returns how many messages are due again
 * @throws {AppError} `webhook_not_found`
 */
export async function redeliver(
  sql: Sql,
  endpointId: string,
  what: { messageId: string } | { failedSince: Date },
  by: By,
): Promise<number> {
  const { actor, requestId } = toActor(by);
  const messageId = "messageId" in what ? what.messageId : null;
  const failedSince = "failedSince" in what ? what.failedSince : null;
  const [row] = await withAppErrors(sql<[{ count: number }]>`
    select assignment.redeliver(${endpointId}, ${actor}, ${messageId}, ${failedSince}, ${requestId}) as count
  `);
  return row.count;
}

/** Writes a test message for one endpoint, also a disabled one. Returns its id. @throws {AppError} `webhook_not_found` */
export async function sendTest(sql: Sql, endpointId: string, by: By): Promise<string> {
  const { actor, requestId } = toActor(by);
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.send_test(${endpointId}, ${actor}, ${requestId}) as id
  `);
  return row.id;
}
