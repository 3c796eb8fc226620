import type { By } from "../actor.ts";
import type { Sql } from "../database/sql.ts";
import { AppError } from "../errors.ts";
import {
  changeEndpoint,
  createEndpoint,
  type EndpointChange,
  type EndpointState,
  type MessageType,
  requireUrl,
} from "./endpoints.ts";
import { seal } from "./key.ts";
import { createSecret } from "./sign.ts";

/** The most characters of a URL. */
export const MAX_URL_LENGTH = 2000;

/** What an operator configures of webhooks. */
export interface WebhookSettings {
  /** Of `WEBHOOK_KEY`: the first seals secrets. */
  keys: readonly Uint8Array[];
  /** `WEBHOOK_ALLOW_PRIVATE`: http and private addresses too. */
  allowPrivate: boolean;
}

/** What an endpoint begins with. */
export interface NewEndpoint {
  /** Null: messages are kept for consumers who fetch them. */
  url: string | null;
  types: MessageType[];
  description?: string | null | undefined;
  /** `whsec_…`; one is made by default. */
  secret?: string | undefined;
}

/** An endpoint, and its secret, which is readable only now. */
export type EndpointWithSecret = EndpointState & {
  /** Null: it has no URL, so nothing is signed. */
  secret: string | null;
};

/**
 * Creates an endpoint, with a secret if it has a URL. Messages of its types are written from now on.
 * @throws {AppError} `webhooks_not_configured`
 */
export async function registerEndpoint(
  sql: Sql,
  { keys }: WebhookSettings,
  { secret: given, ...wanted }: NewEndpoint,
  by: By,
): Promise<EndpointWithSecret> {
  const [{ id }] = await sql<[{ id: string }]>`select assignment.uuid_v7() as id`;
  if (wanted.url === null) return { ...await createEndpoint(sql, { ...wanted, id }, by), secret: null };
  const secret = given ?? createSecret();
  const sealed = await sealSecret(keys, id, secret);
  return { ...await createEndpoint(sql, { ...wanted, id, secret: sealed }, by), secret };
}

/**
 * Gives an endpoint a new secret; the former one stays valid for 24 hours.
 * @param given `whsec_…`; one is made by default
 * @throws {AppError} `webhook_not_found`, `webhook_has_no_url` or `webhooks_not_configured`
 */
export async function rotateSecret(
  sql: Sql,
  { keys }: WebhookSettings,
  id: string,
  by: By,
  given?: string,
): Promise<EndpointWithSecret> {
  await requireUrl(sql, id);
  const secret = given ?? createSecret();
  return { ...await changeEndpoint(sql, id, { secret: await sealSecret(keys, id, secret) }, by), secret };
}

/**
 * Changes an endpoint, except its secret. One without a URL does not get one later.
 * @throws {AppError} `webhook_not_found` or `webhook_has_no_url`
 */
export async function editEndpoint(
  sql: Sql,
  id: string,
  change: Omit<EndpointChange, "secret" | "url"> & { url?: string | undefined },
  by: By,
): Promise<EndpointState> {
  if (change.url !== undefined) await requireUrl(sql, id);
  return await changeEndpoint(sql, id, change, by);
}

/** Says for the log what a change names, without URLs and texts. */
export function describeChange(change: EndpointChange): { changed: string; enabled?: boolean } {
  const changed = Object.entries(change).filter(([, value]) => value !== undefined).map(([name]) => name);
  const { enabled } = change;
  return { changed: changed.sort().join(" "), ...(enabled === undefined ? {} : { enabled }) };
}

async function sealSecret(keys: readonly Uint8Array[], id: string, secret: string): Promise<string> {
  if (keys.length === 0) {
    throw new AppError(
      "webhooks_not_configured",
      "WEBHOOK_KEY is not set, and seals the secrets of webhooks: make a key with " +
        "`deno task token --webhook-key`, and start the service with it.",
    );
  }
  return await seal(keys, id, secret);
}
