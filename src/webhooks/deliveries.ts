import { type By, toActor } from "../actor.ts";
import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";
import { getEndpoint, type MessageType, requireUrl } from "./endpoints.ts";

/** What a delivery can come to. */
export const DELIVERY_STATUSES = ["pending", "delivered", "failed", "dropped"] as const;

/** What becomes of a message at an endpoint. */
export interface Delivery {
  messageId: string;
  type: MessageType;
  /** Sent on request, to see whether it arrives. */
  isTest: boolean;
  /** When the change was made that it tells of. */
  at: Date;
  /** `dropped`: there is nothing left to tell, because the members it told of are deleted. */
  status: (typeof DELIVERY_STATUSES)[number];
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
}

/** A delivery with the message. */
export interface DeliveryWithBody extends Delivery {
  /** What is sent, made from the rows as they are now; null when nothing is left to tell. */
  body: Record<string, unknown> | null;
}

/**
 * Lists the deliveries of an endpoint, the newest message first; `after` is the last message id already seen.
 * @throws {AppError} `webhook_not_found`
 */
export async function listDeliveries(
  sql: Sql,
  endpointId: string,
  page: { limit: number; after?: string | undefined; status?: Delivery["status"] | undefined },
): Promise<Delivery[]> {
  const rows = await sql<Delivery[]>`
    select ${deliveryColumns(sql)}
    from assignment.deliveries d
    join assignment.outbox m on m.id = d.message_id
    where d.endpoint_id = ${endpointId}
      ${page.after === undefined ? sql`` : sql`and d.message_id < ${page.after}`}
      ${page.status === undefined ? sql`` : sql`and d.status = ${page.status}`}
    order by d.message_id desc
    limit ${page.limit}
  `;
  if (rows.length === 0) await getEndpoint(sql, endpointId);
  return [...rows];
}

/** Reads a delivery with its message. @throws {AppError} `webhook_not_found` or `delivery_not_found` */
export async function getDelivery(
  sql: Sql,
  endpointId: string,
  messageId: string,
): Promise<DeliveryWithBody> {
  const [row] = await sql<(Delivery & { body: string | null })[]>`
    select ${deliveryColumns(sql)}, assignment.read_message(m.id)::text as body
    from assignment.deliveries d
    join assignment.outbox m on m.id = d.message_id
    where d.endpoint_id = ${endpointId}
      and d.message_id = ${messageId}
  `;
  if (row === undefined) {
    await getEndpoint(sql, endpointId);
    throw new AppError("delivery_not_found", `webhook ${endpointId} has no delivery of ${messageId}`);
  }
  return { ...row, body: row.body === null ? null : JSON.parse(row.body) };
}

function deliveryColumns(sql: Sql): ReturnType<Sql> {
  return sql`
    d.message_id,
    m.type,
    m.is_test_for is not null as is_test,
    m.at,
    d.status,
    d.attempts,
    d.next_attempt_at,
    d.last_attempt_at,
    d.last_status,
    d.last_error,
    d.last_answer,
    d.last_took_ms,
    d.ended_at
  `;
}

/**
 * Sends again: one message, or all that failed since a time.
 * @returns how many messages are due again
 * @throws {AppError} `webhook_not_found`, or `delivery_not_found` for one message that it never had
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
  if (messageId !== null && row.count === 0) {
    throw new AppError("delivery_not_found", `webhook ${endpointId} has no delivery of ${messageId}`);
  }
  return row.count;
}

/**
 * Writes a test message for one endpoint, also a disabled one. Returns its id.
 * @throws {AppError} `webhook_not_found` or `webhook_has_no_url`
 */
export async function sendTest(sql: Sql, endpointId: string, by: By): Promise<string> {
  await requireUrl(sql, endpointId);
  const { actor, requestId } = toActor(by);
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.send_test(${endpointId}, ${actor}, ${requestId}) as id
  `);
  return row.id;
}
