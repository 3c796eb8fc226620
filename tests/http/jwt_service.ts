/** The service with a provider's tokens: what the tests of JWTs and of a provider's keys share. */
import { createJwtVerifier } from "../../src/http/identity/jwt.ts";
import type { ProviderKeysOptions } from "../../src/http/identity/provider_keys.ts";
import type { TokenIssuer } from "../support/token_issuer.ts";
import { recordingLogger, type TestService, testService } from "./test_service.ts";

export const admin = { roles: ["admin"] };
export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A service that takes an issuer's tokens; asks it as often as tokens make it, where nothing else is said. */
export function serviceFor(
  issuer: TokenIssuer,
  options: Partial<ProviderKeysOptions> = {},
): Promise<TestService> {
  const { log } = recordingLogger();
  return testService({ verifyJwt: createJwtVerifier(issuer.jwt, { log, cooldownMs: 0, ...options }) });
}

/** What the service says to a token: its status, and the code where it refuses. */
export async function answerTo(service: TestService, token: string, request = "GET /v1/policy") {
  const response = await service.call(request, {
    as: "nobody",
    headers: { Authorization: `Bearer ${token}` },
  });
  const body = await response.json();
  return { status: response.status, code: body.code, detail: body.detail, headers: response.headers };
}

export async function statusOf(service: TestService, token: string, request?: string): Promise<number> {
  return (await answerTo(service, token, request)).status;
}
