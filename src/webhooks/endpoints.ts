import { type By, toActor } from "../actor.ts";
import type { Sql } from "../database/sql.ts";
import { AppError, withAppErrors } from "../errors.ts";

/** What messages tell of. */
export const MESSAGE_TYPES = [
  "assignments.created",
  "assignments.ended",
  "assignment.failed",
  "run.ended",
  "policy.changed",
] as const;
export type MessageType = typeof MESSAGE_TYPES[number];

/** Tells whether there are messages of this type. */
export function isMessageType(text: string): text is MessageType {
  return (MESSAGE_TYPES as readonly string[]).includes(text);
}

/** Who wants to hear of what. */
export interface Endpoint {
  id: string;
  /** Where messages are sent; null: they are kept for consumers who fetch them. */
  url: string | null;
  description: string | null;
  types: MessageType[];
  enabled: boolean;
  /** Why the service disabled it: `gone` (answered 410) or `failing` (five days without a success); else null. */
  disabledBecause: "gone" | "failing" | null;
  /** The first of the failures since the last success. */
  failingSince: Date | null;
  createdAt: Date;
  createdBy: string;
  updatedAt: Date;
  updatedBy: string;
}

/** An endpoint, and how its deliveries stand. */
export interface EndpointState extends Endpoint {
  /** Counted up to 10,001, as is `failed`. */
  pending: number;
  /** Given up within the last 30 days. */
  failed: number;
  /** When the oldest message that it has not got was written. */
  oldestPendingAt: Date | null;
  /** Until when messages are also signed with the secret of before the last rotation. */
  formerSecretUntil: Date | null;
}

/** What is to be changed; what is left out stays. `secret` is sealed. */
export interface EndpointChange {
  url?: string | null | undefined;
  description?: string | null | undefined;
  types?: MessageType[] | undefined;
  secret?: string | undefined;
  enabled?: boolean | undefined;
}

/**
 * Creates an endpoint. Messages of its types are written from now on.
 * @param endpoint.id made by the caller, because the secret is sealed for it
 */
export async function createEndpoint(
  sql: Sql,
  endpoint: EndpointChange & { id: string; types: MessageType[] },
  by: By,
): Promise<EndpointState> {
  const { actor, requestId } = toActor(by);
  const [row] = await withAppErrors(sql<[{ id: string }]>`
    select assignment.put_endpoint(null, ${
    JSON.stringify(endpoint)
  }::text::jsonb, ${actor}, ${requestId}) as id
  `);
  return await getEndpoint(sql, row.id);
}

/**
 * Changes an endpoint. A new secret leaves the former one valid for 24 hours. Enabling forgets former failures.
 * @throws {AppError} `webhook_not_found`
 */
export async function changeEndpoint(
  sql: Sql,
  id: string,
  change: EndpointChange,
  by: By,
): Promise<EndpointState> {
  const { actor, requestId } = toActor(by);
  await withAppErrors(sql`
    select assignment.put_endpoint(${id}, ${JSON.stringify(change)}::text::jsonb, ${actor}, ${requestId})
  `);
  return await getEndpoint(sql, id);
}

/** Deletes an endpoint with the record of its deliveries. @throws {AppError} `webhook_not_found` */
export async function deleteEndpoint(sql: Sql, id: string, by: By): Promise<void> {
  const { actor, requestId } = toActor(by);
  await withAppErrors(sql`select assignment.delete_endpoint(${id}, ${actor}, ${requestId})`);
}

/** Reads one endpoint. @throws {AppError} `webhook_not_found` */
export async function getEndpoint(sql: Sql, id: string): Promise<EndpointState> {
  const [endpoint] = await selectEndpoints(sql, sql`where e.id = ${id}`);
  if (endpoint === undefined) throw new AppError("webhook_not_found", `webhook ${id} does not exist`);
  return endpoint;
}

/** Refuses an endpoint that nothing is sent to. @throws {AppError} `webhook_not_found` or `webhook_has_no_url` */
export async function requireUrl(sql: Sql, id: string): Promise<void> {
  if ((await getEndpoint(sql, id)).url === null) {
    throw new AppError("webhook_has_no_url", `nothing is sent to webhook ${id}: its messages are fetched`);
  }
}

/** Lists endpoints, the newest first; `after` is the last id already seen. */
export async function listEndpoints(
  sql: Sql,
  page: { limit: number; after?: string | undefined },
): Promise<EndpointState[]> {
  return await selectEndpoints(
    sql,
    sql`
      ${page.after === undefined ? sql`` : sql`where e.id < ${page.after}`}
      order by e.id desc
      limit ${page.limit}
    `,
  );
}

async function selectEndpoints(sql: Sql, which: ReturnType<Sql>): Promise<EndpointState[]> {
  const rows = await sql<EndpointState[]>`
    select
      e.id,
      e.url,
      e.description,
      e.types,
      e.enabled,
      e.disabled_because,
      e.failing_since,
      e.former_secret_until,
      e.created_at,
      e.created_by,
      e.updated_at,
      e.updated_by,
      e.pending,
      e.failed,
      e.oldest_pending_at
    from assignment.webhook_states e
    ${which}
  `;
  return [...rows];
}
