import { hash, timingSafeEqual } from "node:crypto";

/** A request as the schemes see it. */
export interface SignedRequest {
  /** Reads a header, by its name in any case. */
  header(name: string): string | undefined;
  /** As it came: any change breaks the signature. */
  body: string;
}

/** Verifies a request; returns the event's id, if a header has it. @throws {SignatureError} */
export type VerifySignature = (request: SignedRequest, secrets: readonly string[]) => string | null;

/** The request does not come from somebody who knows a secret, or not now. Its message quotes nothing. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

/** How far the sender's clock, and a request that is sent again, may be off. */
const TOLERANCE_MS = 5 * 60 * 1000;

/** @throws {SignatureError} if the time is not within five minutes of now. */
export function requireRecent(sentAtMs: number): void {
  const ageMs = Date.now() - sentAtMs;
  if (!(Math.abs(ageMs) <= TOLERANCE_MS)) throw ageMs < 0 ? tooNew() : tooOld();
}

export function tooOld(): SignatureError {
  return new SignatureError(
    "The timestamp is more than five minutes old. Let the provider send the event again.",
  );
}

export function tooNew(): SignatureError {
  return new SignatureError("The timestamp is more than five minutes in the future. Check the clocks.");
}

export function mismatch(): SignatureError {
  return new SignatureError(
    "The signature does not fit: compare MEMBER_HOOK_SECRETS with the provider's secret.",
  );
}

/** @throws {SignatureError} if the header is absent. */
export function requireHeader({ header }: SignedRequest, name: string): string {
  const value = header(name);
  if (value) return value;
  throw new SignatureError(`The header ${name} is missing: see MEMBER_HOOK_PROVIDER.`);
}

/** Compares in a time that tells nothing of the texts, not even of their lengths. */
export function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash("sha256", one, "buffer"), hash("sha256", other, "buffer"));
}
