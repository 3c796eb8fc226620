import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { OpenIdConfig, Token } from "../../config.ts";
import { type Role, ROLES } from "../../config/roles.ts";
import { seal, unseal } from "./seal.ts";

/** The secrets that seal sessions. */
export interface SessionSecrets {
  tokens: readonly Token[];
  openId?: OpenIdConfig | null;
}

/** The session of a person who signed in with a browser. */
export interface Session {
  /** Identifies the session at sign-out, see ended_sessions.ts. */
  id: string;
  name: string;
  role: Role;
  expiresAt: Date;
}

export const SESSION_HOURS = 8;

const PURPOSE = { token: "session of a token", openId: "session of an OpenID Connect user" };
const tokenSession = z.object({ id: z.uuid(), token: z.string(), expiresAtMs: z.number() });
const openIdSession = z.object({
  id: z.uuid(),
  name: z.string(),
  role: z.enum(ROLES),
  expiresAtMs: z.number(),
});

/** Finds the configured token that was presented. Compares in constant time, with every token. */
export function findToken(tokens: readonly Token[], presented: string): Token | undefined {
  const sha256 = hash("sha256", presented, "buffer");
  let found: Token | undefined;
  for (const token of tokens) {
    if (timingSafeEqual(sha256, token.sha256)) found = token;
  }
  return found;
}

/**
 * Creates the cookie for a presented token: the token itself, sealed with a key derived from its configured
 * hash, so that every replica can read it. The hash alone is not enough to create one, and the cookie alone
 * does not reveal the token. The session ends when the token is removed from the configuration.
 */
export function sealTokenSession(token: Token, presented: string, now = Date.now()): Promise<string> {
  return seal(token.sha256, PURPOSE.token, { ...newSession(now), token: presented });
}

/**
 * Creates the cookie for a user of the OpenID Connect provider. They keep their role until the session ends; it
 * also ends when the client secret changes.
 */
export function sealOpenIdSession(
  openId: OpenIdConfig,
  { name, role }: Pick<Session, "name" | "role">,
  now = Date.now(),
): Promise<string> {
  return seal(openId.clientSecret, PURPOSE.openId, { ...newSession(now), name, role });
}

/**
 * Reads a session cookie; undefined if it is forged or expired, or its token is no longer configured. Does not
 * check whether the session was signed out.
 */
export async function readSession(
  { tokens, openId }: SessionSecrets,
  cookie: string,
  now = Date.now(),
): Promise<Session | undefined> {
  for (const token of tokens) {
    const { data } = tokenSession.safeParse(await unseal(token.sha256, PURPOSE.token, cookie));
    if (data === undefined || data.expiresAtMs <= now || findToken([token], data.token) === undefined) {
      continue;
    }
    return { id: data.id, name: token.name, role: token.role, expiresAt: new Date(data.expiresAtMs) };
  }
  if (!openId) return undefined;
  const { data } = openIdSession.safeParse(await unseal(openId.clientSecret, PURPOSE.openId, cookie));
  if (data === undefined || data.expiresAtMs <= now) return undefined;
  return { id: data.id, name: data.name, role: data.role, expiresAt: new Date(data.expiresAtMs) };
}

function newSession(now: number) {
  return { id: crypto.randomUUID(), expiresAtMs: now + SESSION_HOURS * 3_600_000 };
}
