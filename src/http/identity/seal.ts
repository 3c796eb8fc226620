import { compactDecrypt, CompactEncrypt } from "jose";
import { hkdfSync } from "node:crypto";

const KEY_MANAGEMENT = "dir";
const ENCRYPTION = "A256GCM";

/**
 * Encrypts and authenticates a value, for a cookie that only this service, in any replica, can read or make: a JWE (RFC
 * 7516) under a key derived with HKDF.
 * @param purpose separates what is sealed with the same secret.
 */
export async function seal(secret: string | Uint8Array, purpose: string, value: unknown): Promise<string> {
  return await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(value)))
    .setProtectedHeader({ alg: KEY_MANAGEMENT, enc: ENCRYPTION })
    .encrypt(deriveKey(secret, purpose));
}

/** Opens what {@link seal} made; undefined when it was made otherwise, or altered. */
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
