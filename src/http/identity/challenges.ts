import { Problem } from "../problems.ts";

// RFC 6750, section 3.
const CHALLENGE = 'Bearer realm="trainer-assignment"';

/** Makes the problem of a request without a token. */
export function tokenMissing(): Problem {
  return new Problem("unauthorized", "Send a token: Authorization: Bearer …", {
    headers: { "WWW-Authenticate": CHALLENGE },
  });
}

/** Makes the problem of a token that is no good, and why; the detail never holds anything of the token. */
export function tokenInvalid(detail: string): Problem {
  return new Problem("unauthorized", detail, {
    headers: { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token"` },
  });
}

/** Makes the problem of a caller who is known and may not do this. */
export function roleMissing(needed: string, detail: string): Problem {
  return new Problem("forbidden", detail, {
    headers: { "WWW-Authenticate": `${CHALLENGE}, error="insufficient_scope", scope="${needed}"` },
  });
}
