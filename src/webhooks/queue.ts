import type { Sql } from "../database/sql.ts";

/** Where messages are sent, and the sealed secrets that sign them. */
export interface DueEndpoint {
  id: string;
  url: string;
  secret: string;
  formerSecret: string | null;
}

/** A delivery that this process has taken for two minutes. */
export interface TakenDelivery {
  messageId: string;
  /** Null when the members that it told of are deleted. */
  body: string | null;
  /** With this one. */
  attempts: number;
}

/** What became of an attempt. */
export interface DeliveryResult {
  messageId: string;
  outcome: "delivered" | "failed" | "dropped";
  status?: number | undefined;
  error?: string | undefined;
  answer?: string | undefined;
  tookMs?: number | undefined;
  /** Of a failure: when to try again; null: never. */
  retryInMs?: number | null | undefined;
}

const MESSAGES_AT_ONCE = 1000;

/** Makes the deliveries of all new messages. */
export async function addressMessages(sql: Sql): Promise<void> {
  for (;;) {
    const [{ count }] = await sql<[{ count: number }]>`
      select assignment.address_messages(${MESSAGES_AT_ONCE}) as count
    `;
    if (count < MESSAGES_AT_ONCE) return;
  }
}

/** Finds the endpoints that have something to get now. */
export async function findDueEndpoints(sql: Sql): Promise<DueEndpoint[]> {
  return [
    ...await sql<DueEndpoint[]>`select id, url, secret, former_secret from assignment.find_due_endpoints()`,
  ];
}

/** Reads those of these endpoints that messages are sent to, due or not, as they are now. */
export async function readEndpoints(sql: Sql, ids: string[]): Promise<DueEndpoint[]> {
  return [
    ...await sql<DueEndpoint[]>`
      select id, url, secret, case when former_secret_until > now() then former_secret end as former_secret
      from assignment.webhook_endpoints
      where id = any (${ids}::uuid[])
        and url is not null
        and enabled
    `,
  ];
}

/** Counts the enabled endpoints that messages are sent to. */
export async function countEndpoints(sql: Sql): Promise<number> {
  const [{ count }] = await sql<[{ count: number }]>`
    select count(*)::integer as count
    from assignment.webhook_endpoints
    where url is not null
      and enabled
  `;
  return count;
}

/** Takes up to `limit` due deliveries of an endpoint for two minutes. */
export async function takeDeliveries(
  sql: Sql,
  endpointId: string,
  limit: number,
): Promise<TakenDelivery[]> {
  return [
    ...await sql<TakenDelivery[]>`
      select message_id, body, attempts
      from assignment.take_deliveries(${endpointId}, ${limit})
    `,
  ];
}

/** Records what became of attempts. @returns why this disabled the endpoint, if it did */
export async function recordDeliveries(
  sql: Sql,
  endpointId: string,
  results: DeliveryResult[],
): Promise<"gone" | "failing" | null> {
  const rows = results.map(({ messageId, outcome, status, error, answer, tookMs, retryInMs }) => ({
    message_id: messageId,
    outcome,
    status,
    error,
    answer,
    took_ms: tookMs === undefined ? undefined : Math.round(tookMs),
    retry_in_ms: retryInMs === undefined || retryInMs === null ? undefined : Math.round(retryInMs),
  }));
  const [row] = await sql<[{ because: "gone" | "failing" | null }]>`
    select disabled_because as because
    from assignment.record_deliveries(${endpointId}, ${JSON.stringify(rows)}::text::jsonb)
  `;
  return row.because;
}

/** What there was to do. */
export interface Tended {
  /** Gaps of which messages were made. */
  filled: number;
  /** Old messages. */
  forgotten: number;
  /** Announcing triggers that were disabled although somebody wants their messages. */
  enabled: number;
}

/** Makes messages of gaps, forgets old messages, and enables triggers that are wanted; to be called every minute or so. */
export async function tendOutbox(sql: Sql): Promise<Tended> {
  const [row] = await sql<[Tended]>`
    select filled, forgotten, enabled from assignment.tend_outbox()
  `;
  return row;
}
