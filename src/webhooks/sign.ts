import { Webhook } from "standardwebhooks";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;

/** What a receiver verifies, by https://www.standardwebhooks.com. */
export interface SignatureHeaders {
  "webhook-id": string;
  "webhook-timestamp": string;
  "webhook-signature": string;
}

/**
 * Signs one attempt to deliver a message.
 * @param message.id the same at each attempt, without a dot
 * @param message.body the text exactly as it is sent
 * @param secrets the current ones, while they rotate two; a receiver that knows one of them can verify
 * @param sentAt the time of this attempt; receivers refuse what is older than a few minutes
 */
export function signMessage(
  message: { id: string; body: string },
  secrets: readonly string[],
  sentAt: Date,
): SignatureHeaders {
  if (message.id.includes(".")) {
    throw new TypeError("a message's id has no dot: it could imitate a timestamp");
  }
  if (secrets.length === 0) throw new TypeError("a message needs a secret to sign it with");
  const signatures = secrets.map((secret) => new Webhook(secret).sign(message.id, sentAt, message.body));
  return {
    "webhook-id": message.id,
    "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
    "webhook-signature": signatures.join(" "),
  };
}

/** Creates a secret of 256 random bits. */
export function createSecret(): string {
  return PREFIX + crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64();
}

/** Tells whether it is a secret of the specification: `whsec_` and base64 of 24 to 64 bytes. */
export function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  try {
    const { length } = Uint8Array.fromBase64(text.slice(PREFIX.length), { lastChunkHandling: "strict" });
    return length >= 24 && length <= 64 && !/\s/.test(text);
  } catch {
    return false;
  }
}
