import { hash } from "node:crypto";
import { OperatorError } from "../errors.ts";

const IV_BYTES = 12;
const HOW_TO_MAKE_ONE = "make one with `deno task token --webhook-key` and configure it";

/** Creates a key for `WEBHOOK_KEY`: 32 random bytes as base64. */
export function createKey(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64();
}

/**
 * Encrypts and authenticates an endpoint's secret with the first key, by AES-256-GCM.
 * @param keys of `WEBHOOK_KEY`
 * @param endpointId what is sealed for one endpoint does not open for another
 * @returns text without secrets: the key's id, a dot, and base64url
 * @throws {OperatorError} if there is no key
 */
export async function seal(keys: readonly Uint8Array[], endpointId: string, secret: string): Promise<string> {
  const [first] = keys;
  if (first === undefined) throw new OperatorError(`WEBHOOK_KEY is not set: ${HOW_TO_MAKE_ONE}`);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const algorithm = aesGcm(iv, endpointId);
  const encrypted = await crypto.subtle.encrypt(
    algorithm,
    await importKey(first, "encrypt"),
    new TextEncoder().encode(secret),
  );
  const bytes = new Uint8Array([...iv, ...new Uint8Array(encrypted)]);
  return `${keyId(first)}.${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

/**
 * Opens what {@link seal} made, with whichever key sealed it.
 * @throws {OperatorError} if that key is not configured, or the text was altered or sealed for another endpoint
 */
export async function open(
  keys: readonly Uint8Array[],
  endpointId: string,
  sealed: string,
): Promise<string> {
  const [sealedUnder = "", text = ""] = sealed.split(".");
  const key = keys.find((key) => keyId(key) === sealedUnder);
  if (key === undefined) throw new OperatorError(describeMissingKey(keys, endpointId, sealedUnder));
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    const algorithm = aesGcm(bytes.slice(0, IV_BYTES), endpointId);
    const secret = await crypto.subtle.decrypt(
      algorithm,
      await importKey(key, "decrypt"),
      bytes.slice(IV_BYTES),
    );
    return new TextDecoder().decode(secret);
  } catch {
    throw new OperatorError(
      `a secret of webhook ${endpointId} was altered, or belongs to another one: give this webhook a new secret`,
    );
  }
}

/** Tells whether the first key sealed it. If not, seal it anew before that other key is taken out of WEBHOOK_KEY. */
export function isSealedUnderFirst(keys: readonly Uint8Array[], sealed: string): boolean {
  const [first] = keys;
  return first !== undefined && sealed.startsWith(`${keyId(first)}.`);
}

function describeMissingKey(keys: readonly Uint8Array[], endpointId: string, sealedUnder: string): string {
  const what = `the secrets of webhook ${endpointId} are sealed under the key ${sealedUnder}`;
  return keys.length === 0
    ? `WEBHOOK_KEY is not set, and ${what}: configure that key`
    : `WEBHOOK_KEY lacks a key, for ${what}: add it after the others, separated by a comma; ` +
      "if it is lost, give the webhook a new secret";
}

/** Names a key without telling it. */
function keyId(key: Uint8Array): string {
  return hash("sha256", key, "hex").slice(0, 8);
}

function aesGcm(iv: Uint8Array<ArrayBuffer>, endpointId: string): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(endpointId) };
}

function importKey(key: Uint8Array, usage: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(key), "AES-GCM", false, [usage]);
}
