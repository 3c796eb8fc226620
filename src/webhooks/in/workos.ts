import { createHmac } from "node:crypto";
import { isSame, mismatch, requireHeader, requireRecent, type SignedRequest } from "./signature.ts";

/**
 * Verifies a webhook of WorkOS: `WorkOS-Signature: t=<milliseconds>, v1=<hex of the HMAC of "t.body">`
 * (https://workos.com/docs/events/data-syncing/webhooks). The event's id is in the body.
 */
export function verifyWorkOs(request: SignedRequest, secrets: readonly string[]): null {
  const header = requireHeader(request, "workos-signature");
  const [, sentAt = "", signature = ""] = /^t=(\d{1,16}),\s*v1=([0-9a-f]{64})$/i.exec(header.trim()) ?? [];
  if (sentAt === "") throw mismatch();
  requireRecent(Number(sentAt));
  const isSigned = secrets.some((secret) =>
    isSame(
      signature.toLowerCase(),
      createHmac("sha256", secret).update(`${sentAt}.${request.body}`).digest("hex"),
    )
  );
  if (!isSigned) throw mismatch();
  return null;
}
