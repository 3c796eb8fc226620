import { Problem } from "../problems.ts";

// RFC 6750, section 3.
const CHALLENGE = 'Bearer realm="trainer-assignment"';
const INVALID_TOKEN = { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token"` };

/** Makes the problem of a request without a token. */
export function tokenMissing(): Problem {
  return new Problem("unauthorized", "Send a token: Authorization: Bearer …", {
    headers: { "WWW-Authenticate": CHALLENGE },
  });
}

/** Makes the problem of a token that is no good, and why. */
export function tokenInvalid(detail: string): Problem {
  return new Problem("unauthorized", detail, { headers: INVALID_TOKEN });
}

/** Makes the problem of a token for somewhere else, which the log tells as well: mostly a setting is wrong. */
export function tokenMisdirected(detail: string): Problem {
  return new Problem("unauthorized", detail, { headers: INVALID_TOKEN, logEvent: "token_misdirected" });
}

/** Makes the problem of a caller who is known and may not do this. */
export function roleMissing(needed: string, detail: string): Problem {
  return new Problem("forbidden", detail, {
    headers: { "WWW-Authenticate": `${CHALLENGE}, error="insufficient_scope", scope="${needed}"` },
  });
}
