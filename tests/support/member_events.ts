import { createHmac } from "node:crypto";
import type { MemberHook } from "../../src/config/member_hook.ts";
import { parseConfig } from "../../src/config.ts";

/** A secret as Standard Webhooks and Svix give them, and another one. */
export const SECRET = `whsec_${btoa("a secret of this test alone, 32b.")}`;
export const OTHER_SECRET = `whsec_${btoa("another secret, of 32 bytes too..")}`;
/** A secret as other providers give them. */
export const PLAIN_SECRET = "a-secret-of-this-test-alone";

/** A hook as the environment describes it; by default that of Standard Webhooks. */
export function testHook(environment: Record<string, string> = {}): MemberHook {
  const hook = parseConfig({ MEMBER_HOOK_SECRETS: SECRET, ...environment }).memberHook;
  if (hook === null) throw new Error("a hook without secrets is none");
  return hook;
}

/** An event as a provider sends it. */
export interface SentEvent {
  headers: Record<string, string>;
  body: string;
}

interface Signing {
  id?: string;
  secret?: string;
  /** How old it says that it is. */
  ageSeconds?: number;
}

/** Signs by the specification of Standard Webhooks, not by the library that verifies. */
export function signStandard(
  payload: unknown,
  { id = `msg_${crypto.randomUUID()}`, secret = SECRET, ageSeconds = 0 }: Signing = {},
  prefix = "webhook",
): SentEvent {
  const body = typeof payload === "string" ? payload : JSON.stringify(payload);
  const sentAt = Math.floor(Date.now() / 1000) - ageSeconds;
  const signature = standardSignature(secret, `${id}.${sentAt}.${body}`);
  return {
    body,
    headers: {
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(sentAt),
      [`${prefix}-signature`]: signature,
    },
  };
}

export function standardSignature(secret: string, content: string): string {
  const key = Uint8Array.fromBase64(secret.slice("whsec_".length));
  return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}

export function signSvix(payload: unknown, signing?: Signing): SentEvent {
  return signStandard(payload, signing, "svix");
}

export function signWorkOs(
  payload: unknown,
  { secret = PLAIN_SECRET, ageSeconds = 0 }: Signing = {},
): SentEvent {
  const body = JSON.stringify(payload);
  const sentAt = Date.now() - ageSeconds * 1000;
  const signature = createHmac("sha256", secret).update(`${sentAt}.${body}`).digest("hex");
  return { body, headers: { "WorkOS-Signature": `t=${sentAt}, v1=${signature}` } };
}

export function signKeycloak(payload: unknown, { secret = PLAIN_SECRET }: Signing = {}): SentEvent {
  const body = JSON.stringify(payload);
  return {
    body,
    headers: { "X-Keycloak-Signature": createHmac("sha256", secret).update(body).digest("hex") },
  };
}

export function bearSecret(payload: unknown, { secret = PLAIN_SECRET }: Signing = {}): SentEvent {
  return { body: JSON.stringify(payload), headers: { Authorization: `Bearer ${secret}` } };
}

/** A "member created" of Standard Webhooks. */
export function memberCreated(data: Record<string, unknown>, type = "user.created") {
  return { type, timestamp: new Date().toISOString(), data };
}

/** What a request of the event is. */
export function eventRequest({ headers, body }: SentEvent): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body };
}
