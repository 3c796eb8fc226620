import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { mismatch, requireHeader, type SignedRequest, tooNew, tooOld } from "./signature.ts";

const HEADERS = ["id", "timestamp", "signature"];

/** Verifies by Standard Webhooks (www.standardwebhooks.com); Svix signs alike, with headers of other names. */
export function verifyStandardWebhook(request: SignedRequest, secrets: readonly string[]): string {
  const prefix = request.header("svix-id") === undefined ? "webhook" : "svix";
  const headers = Object.fromEntries(
    HEADERS.map((name) => [`webhook-${name}`, requireHeader(request, `${prefix}-${name}`)]),
  );
  if (!secrets.some((secret) => isSignedWith(secret, request.body, headers))) throw mismatch();
  return headers["webhook-id"] ?? "";
}

function isSignedWith(secret: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return true;
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    if (error.message.endsWith("too old")) throw tooOld();
    if (error.message.endsWith("too new")) throw tooNew();
    return false;
  }
}
