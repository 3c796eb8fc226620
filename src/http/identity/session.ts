import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { OpenIdConfig, Token } from "../../config.ts";
import { seal, unseal } from "./seal.ts";

/** What sessions are sealed with and checked against. */
export interface SessionSecrets {
  tokens: readonly Token[];
  openId?: OpenIdConfig | null;
}

/** Somebody who signed in with a browser. */
export interface Session {
  /** By which it is signed out, see ended_sessions.ts. */
  id: string;
  name: string;
  role: Token["role"];
  expiresAt: Date;
}

export const SESSION_HOURS = 8;

const PURPOSE = { token: "session of a token", openId: "session of an OpenID Connect user" };
const tokenSession = z.object({ id: z.uuid(), token: z.string(), expiresAtMs: z.number() });
const openIdSession = z.object({ id: z.uuid(), name: z.string(), expiresAtMs: z.number() });

/** Finds the configured token that was presented. Compares with each, without an early exit. */
export function findToken(tokens: readonly Token[], presented: string): Token | undefined {
  const sha256 = hash("sha256", presented, "buffer");
  let found: Token | undefined;
  for (const token of tokens) {
    if (timingSafeEqual(sha256, token.sha256)) found = token;
  }
  return found;
}

/**
 * Makes the cookie of someone who presented a token: the token itself, sealed under a key derived from its configured
 * hash. So every replica can read it. Knowing only the hash, nobody can make one; having only the cookie, nobody learns
 * the token. A token that is removed from the configuration takes its sessions along.
 */
export function sealTokenSession(token: Token, presented: string, now = Date.now()): Promise<string> {
  return seal(token.sha256, PURPOSE.token, { ...newSession(now), token: presented });
}

/** Makes the cookie of someone whom the provider vouches for. A change of the client secret ends it. */
export function sealOpenIdSession(openId: OpenIdConfig, name: string, now = Date.now()): Promise<string> {
  return seal(openId.clientSecret, PURPOSE.openId, { ...newSession(now), name });
}

/**
 * Reads a session cookie; undefined when it is not one of ours, too old, or its token is no longer configured. Only the
 * database knows whether it is signed out.
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
  return { id: data.id, name: data.name, role: "admin", expiresAt: new Date(data.expiresAtMs) };
}

function newSession(now: number) {
  return { id: crypto.randomUUID(), expiresAtMs: now + SESSION_HOURS * 3_600_000 };
}
