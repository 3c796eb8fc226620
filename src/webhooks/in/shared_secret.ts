import { isSame, mismatch, requireHeader, type SignedRequest } from "./signature.ts";

/**
 * Verifies `Authorization: Bearer <secret>`, for senders that sign nothing but can send a header, as Supabase's database
 * webhooks do.
 */
export function verifySharedSecret(request: SignedRequest, secrets: readonly string[]): null {
  const [, presented = ""] = /^Bearer +(\S+) *$/i.exec(requireHeader(request, "authorization")) ?? [];
  if (!secrets.map((secret) => isSame(presented, secret)).includes(true)) throw mismatch();
  return null;
}
