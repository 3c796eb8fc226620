import type { MemberHook } from "../../config/member_hook.ts";
import type { SignatureScheme } from "../../config/member_hook_providers.ts";
import { verifyKeycloak } from "./keycloak.ts";
import { verifySharedSecret } from "./shared_secret.ts";
import type { SignedRequest, VerifySignature } from "./signature.ts";
import { verifyStandardWebhook } from "./standard_webhooks.ts";
import { verifyWorkOs } from "./workos.ts";

const SCHEMES: Record<SignatureScheme, VerifySignature> = {
  standard: verifyStandardWebhook,
  workos: verifyWorkOs,
  keycloak: verifyKeycloak,
  sharedSecret: verifySharedSecret,
};

/**
 * Verifies that a request comes from the configured provider; returns the event's id, if a header has it.
 * @throws {SignatureError}
 */
export function verifyHook({ scheme, secrets }: MemberHook, request: SignedRequest): string | null {
  return SCHEMES[scheme](request, secrets);
}
