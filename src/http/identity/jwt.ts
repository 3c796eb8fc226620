import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTVerifyResult } from "jose";
import { z } from "zod";
import type { JwtConfig } from "../../config.ts";
import { readRole } from "./role_claim.ts";
import type { Principal } from "./principal.ts";
import { roleMissing, tokenInvalid } from "./challenges.ts";
import { createProviderKeys, type Provider, type ProviderKeysOptions } from "./provider_keys.ts";

/**
 * Finds out who presents a JWT.
 * @throws {Problem} `unauthorized` when it is no good, `forbidden` when it gives no role, `identity_provider_unavailable`
 * when only the provider could tell, and does not answer.
 */
export type VerifyJwt = (token: string) => Promise<Principal>;

/** Signatures that nobody but the provider can make: no shared secrets, and never `none` (RFC 8725, section 3.1). */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
/** Access tokens call themselves so, or say nothing (RFC 9068); logout tokens, proofs and others are something else. */
const TYPES = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];
const LEEWAY_SECONDS = 30;
const MOST_CHARACTERS = 16_384;

const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
// OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. Those without a shape have no place in records.
const subject = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** Tells whether a token may be a JWT at all; no other is worth a question to the provider. */
export function looksLikeJwt(token: string): boolean {
  return token.length <= MOST_CHARACTERS && SHAPE.test(token);
}

/**
 * Makes the judge of a provider's JWTs. Records name their bearers `jwt:` and the subject, which is the one name that
 * stays with somebody, and which no configured token can have.
 */
export function createJwtVerifier(config: JwtConfig, options: ProviderKeysOptions): VerifyJwt {
  const keys = createProviderKeys(config.issuer, options);
  // Known before the first caller comes, or missed in the log at once.
  keys.current().catch(() => {});

  return async function verifyJwt(token) {
    refuseHopeless(token, config.issuer);
    const { payload, protectedHeader } = await verify(token, await keys.current(), keys.renewed);
    if (!isKnownType(protectedHeader.typ)) throw tokenInvalid("The token is not an access token.");
    const { data: sub } = subject.safeParse(payload.sub);
    if (sub === undefined) throw tokenInvalid("The token's claim sub is no name that could be recorded.");
    const name = `jwt:${sub}`;
    const role = readRole(payload, config.roleClaim);
    if (role === undefined) {
      throw roleMissing("service", `${name} has neither the role admin nor service in ${config.roleClaim}.`);
    }
    return { name, role };
  };

  async function verify(
    token: string,
    { issuer, findKey }: Provider,
    renew?: () => Promise<Provider>,
  ): Promise<JWTVerifyResult> {
    try {
      return await jwtVerify(token, findKey, {
        issuer,
        audience: config.audience,
        algorithms: ALGORITHMS,
        clockTolerance: LEEWAY_SECONDS,
        requiredClaims: ["exp", "sub"],
      });
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey && renew !== undefined) {
        return await verify(token, await renew());
      }
      if (!(error instanceof errors.JOSEError)) {
        options.log.warn({ err: error, issuer }, "a key of the provider cannot be used");
      }
      throw tokenInvalid(reasonOf(error));
    }
  }
}

/** What no key could make good is refused without a question to the provider. */
function refuseHopeless(token: string, configuredIssuer: string): void {
  const { alg, iss, exp } = read(token);
  if (alg === undefined || !ALGORITHMS.includes(alg)) {
    throw tokenInvalid("The token is not signed by an algorithm that is taken here.");
  }
  if (URL.parse(String(iss))?.href !== new URL(configuredIssuer).href) throw tokenInvalid(claimReason("iss"));
  if (exp === undefined || exp <= Date.now() / 1000 - LEEWAY_SECONDS) throw tokenInvalid(claimReason("exp"));
}

function read(token: string) {
  try {
    const { alg } = decodeProtectedHeader(token);
    const { iss, exp } = decodeJwt(token);
    return { alg, iss, exp };
  } catch {
    throw tokenInvalid("The token is malformed.");
  }
}

function isKnownType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === "string" && TYPES.includes(typ.toLowerCase()));
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return claimReason("exp");
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error.claim);
  return "The token's signature does not verify with a key of the provider.";
}

const REASONS: Record<string, string> = {
  exp: "The token has expired, or does not say when it does.",
  nbf: "The token is not valid yet.",
  aud: "The token is for another audience.",
  iss: "The token is of another issuer.",
};

function claimReason(claim: string): string {
  return REASONS[claim] ?? `The token's claim ${claim} is missing or malformed.`;
}
