import { createHmac } from "node:crypto";
import { isSame, mismatch, requireHeader, type SignedRequest } from "./signature.ts";

/**
 * Verifies an event of Keycloak's extension keycloak-events (https://github.com/p2-inc/keycloak-events):
 * `X-Keycloak-Signature`, the hex of the body's HMAC-SHA256. No time is signed: a repeated event is known by its id.
 */
export function verifyKeycloak(request: SignedRequest, secrets: readonly string[]): null {
  const signature = requireHeader(request, "x-keycloak-signature").toLowerCase();
  const isSigned = secrets.some((secret) =>
    isSame(signature, createHmac("sha256", secret).update(request.body).digest("hex"))
  );
  if (!isSigned) throw mismatch();
  return null;
}
