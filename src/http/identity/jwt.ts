import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from "jose";
import { z } from "zod";
import type { JwtConfig } from "../../config.ts";
import { ROLES } from "../../config/roles.ts";
import { readRole } from "./role_claim.ts";
import type { Principal } from "./principal.ts";
import { Problem } from "../problems.ts";
import { roleMissing, tokenInvalid, tokenMisdirected } from "./challenges.ts";
import { createProviderKeys, type Provider, type ProviderKeysOptions } from "./provider_keys.ts";

/**
 * Identifies the caller by a JWT.
 * @throws {Problem} `unauthorized` for an invalid JWT, `forbidden` for one without a role,
 * `identity_provider_unavailable` when the provider's keys are needed and it does not answer.
 */
export type VerifyJwt = (token: string) => Promise<Principal>;

/** Asymmetric algorithms only: no shared secrets, and never `none` (RFC 8725, section 3.1). */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];
/** The types of access tokens (RFC 9068); none is accepted too. Logout tokens and others have types of their own. */
const TYPES = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];
const LEEWAY_SECONDS = 30;
const MAX_CHARACTERS = 16_384;

const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
// OpenID Connect Core 1.0, section 2: at most 255 ASCII characters. Spaces and control characters are refused too.
const subject = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** Tells whether a token has the form of a JWT. */
export function looksLikeJwt(token: string): boolean {
  return token.length <= MAX_CHARACTERS && SHAPE.test(token);
}

/**
 * Creates the verifier of a provider's JWTs. It names a caller `jwt:` and the subject, a name that no
 * configured token can have.
 */
export function createJwtVerifier(config: JwtConfig, options: ProviderKeysOptions): VerifyJwt {
  const findProvider = createProviderKeys(config.issuer, options);
  // Fetches the keys before the first request, so that a failure is logged at the start.
  findProvider().catch(() => {});

  return async function verifyJwt(token) {
    refuseObviouslyInvalid(token, config.issuer);
    const { payload, protectedHeader } = await verify(token, await findProvider());
    if (!isKnownType(protectedHeader.typ)) throw tokenInvalid("The token is not an access token.");
    const { data: sub } = subject.safeParse(payload.sub);
    if (sub === undefined) {
      throw tokenInvalid("The token's claim sub must be 1 to 255 printable ASCII characters without spaces.");
    }
    const name = `jwt:${sub}`;
    const role = readRole(payload, config.roleClaim);
    if (role === undefined) {
      throw roleMissing(
        { actor: name, needed: "service", held: null },
        `${name} has none of the roles ${ROLES.join(", ")} in ${config.roleClaim}.`,
      );
    }
    return { name, role };
  };

  async function verify(token: string, { issuer, keys }: Provider): Promise<JWTVerifyResult> {
    const wanted = {
      issuer,
      audience: config.audience,
      algorithms: ALGORITHMS,
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ["exp", "sub"],
    };
    try {
      return await verifyWithEach(token, keys, wanted).catch(async (error) => {
        // The key may be new: the token names none, or the provider has reused a name.
        if (!(error instanceof errors.JWSSignatureVerificationFailed) || keys.coolingDown) throw error;
        await keys.reload();
        return await verifyWithEach(token, keys, wanted);
      });
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (!(error instanceof errors.JOSEError)) {
        options.log.warn({ err: error, issuer }, "a key of the provider cannot be used");
      }
      throw refusal(error, { issuer, audience: config.audience });
    }
  }
}

/** Verifies with the key that the token names or, if it names none, with each key that fits. */
async function verifyWithEach(
  token: string,
  keys: Provider["keys"],
  wanted: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys, wanted);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, wanted);
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Refuses, without asking the provider, a token that would be invalid with any key. */
function refuseObviouslyInvalid(token: string, configuredIssuer: string): void {
  const { alg, iss, exp } = read(token);
  if (alg === undefined || !ALGORITHMS.includes(alg)) {
    throw tokenInvalid("The token must be signed with an asymmetric algorithm: RS, PS, ES or EdDSA.");
  }
  if (URL.parse(String(iss))?.href !== new URL(configuredIssuer).href) {
    throw wrongIssuer(iss, configuredIssuer);
  }
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

function refusal(error: unknown, { issuer, audience }: { issuer: string; audience: string }): Problem {
  if (error instanceof errors.JWTExpired) return tokenInvalid(claimReason("exp"));
  if (!(error instanceof errors.JWTClaimValidationFailed)) {
    return tokenInvalid("The token's signature does not verify with a key of the provider.");
  }
  const { claim, payload } = error;
  if (claim === "iss") return wrongIssuer(payload.iss, issuer);
  if (claim === "aud") return wrongAudience(payload.aud, audience);
  return tokenInvalid(claimReason(claim));
}

function wrongIssuer(came: unknown, wanted: string): Problem {
  return tokenMisdirected(`The token's issuer (iss) is ${quoteClaim(came)}; here it must be ${wanted}.`);
}

function wrongAudience(came: unknown, wanted: string): Problem {
  return tokenMisdirected(`The token's audience (aud) is ${quoteClaim(came)}; here it must be ${wanted}.`);
}

const REASONS: Record<string, string> = {
  exp: "The token has expired, or has no expiry.",
  nbf: "The token is not valid yet.",
};

function claimReason(claim: string): string {
  return REASONS[claim] ?? `The token's claim ${claim} is missing or malformed.`;
}

const MAX_QUOTED = 5;
const MAX_QUOTED_CHARACTERS = 200;

/** Quotes the untrusted value of a claim: shortened, and in printable ASCII. */
function quoteClaim(value: unknown): string {
  const values = Array.isArray(value) ? value : [value];
  const quoted = values.slice(0, MAX_QUOTED).map(quoteText);
  if (values.length > MAX_QUOTED) quoted.push(`${values.length - MAX_QUOTED} more`);
  return quoted.join(", ") || "missing";
}

function quoteText(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value !== "string") return "malformed";
  const text = value.slice(0, MAX_QUOTED_CHARACTERS).replaceAll(/[^\x20-\x7e]/g, "?");
  return text.length < value.length ? `"${text}..."` : `"${text}"`;
}
