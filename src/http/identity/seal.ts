import { compactDecrypt, CompactEncrypt } from "jose";
import { hkdfSync } from "node:crypto";

const KEY_MANAGEMENT = "dir";
const ENCRYPTION = "A256GCM";

/**
 * Encrypts and authenticates a value for a cookie that only this service's replicas can create and read: a JWE
 * (RFC 7516) with a key derived by HKDF.
 * @param purpose separates values that are sealed with the same secret
 */
export async function seal(secret: string | Uint8Array, purpose: string, value: unknown): Promise<string> {
  return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(value)))
    .setProtectedHeader({ alg: KEY_MANAGEMENT, enc: ENCRYPTION })
    .encrypt(deriveKey(secret, purpose));
}

/** Opens a sealed value; undefined if it was altered, or sealed with another secret or purpose. */
export async function unseal(
  secret: string | Uint8Array,
  purpose: string,
  sealed: string,
): Promise<unknown> {
  try {
    const { plaintext } = await compactDecrypt(sealed, deriveKey(secret, purpose), {
      keyManagementAlgorithms: [KEY_MANAGEMENT],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    return JSON.parse(new TextDecoder().decode(plaintext));
  } catch {
    return undefined;
  }
}

function deriveKey(secret: string | Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", `trainer-assignment ${purpose}`, 32));
}
