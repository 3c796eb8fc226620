import type { Refusal } from "./principal.ts";
import { Problem } from "../problems.ts";

// RFC 6750, section 3.
const CHALLENGE = 'Bearer realm="trainer-assignment"';
const INVALID_TOKEN = { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token"` };

/** Creates the problem for a request without a token. */
export function tokenMissing(): Problem {
  return new Problem("unauthorized", "Send a token: Authorization: Bearer …", {
    headers: { "WWW-Authenticate": CHALLENGE },
  });
}

/** Creates the problem for an invalid token. */
export function tokenInvalid(detail: string): Problem {
  return new Problem("unauthorized", detail, { headers: INVALID_TOKEN });
}

/**
 * Creates the problem for a token of another issuer or audience. It is logged, because a setting is probably
 * wrong.
 */
export function tokenMisdirected(detail: string): Problem {
  return new Problem("unauthorized", detail, { headers: INVALID_TOKEN, logEvent: "token_misdirected" });
}

/** Creates the problem for a known caller without the role. */
export function roleMissing(refusal: Refusal, detail: string): Problem {
  const { needed } = refusal;
  return new Problem("forbidden", detail, {
    headers: { "WWW-Authenticate": `${CHALLENGE}, error="insufficient_scope", scope="${needed}"` },
    refusal,
  });
}
