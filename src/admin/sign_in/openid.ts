import * as client from "openid-client";
import type { OpenIdConfig } from "../../config.ts";
import { readRole } from "../../http/identity/role_claim.ts";

/** What is remembered while the person is at the provider. */
export interface PendingSignIn {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/** Why a person who returns from the provider may not sign in. */
export class OpenIdError extends Error {
  /** @param reason `not_admin`: signed in there, but not an admin here; `refused`: not signed in. */
  constructor(readonly reason: "not_admin" | "refused", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OpenIdError";
  }
}

/** Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce. */
export interface OpenId {
  /** The provider's address to go to, and what to remember meanwhile. */
  begin(redirectUri: string): Promise<{ location: URL; pending: PendingSignIn }>;
  /**
   * Exchanges the code that the provider sent back and checks all that it vouches for.
   * @returns the name for the records: `oidc:` and the e-mail or else the subject, which no token can be named.
   * @throws {OpenIdError}
   */
  complete(callback: URL, pending: PendingSignIn): Promise<string>;
}

const REQUEST_TIMEOUT_SECONDS = 10;

/** Prepares signing in; asks the provider about itself at the first use, and again after it could not be reached. */
export function createOpenId(config: OpenIdConfig): OpenId {
  let discovered: Promise<client.Configuration> | undefined;

  function discover(): Promise<client.Configuration> {
    discovered ??= discoverProvider(config).catch((error) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  }

  return {
    async begin(redirectUri) {
      const provider = await discover();
      const pending = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier: client.randomPKCECodeVerifier(),
      };
      const location = client.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope: "openid email",
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: "S256",
      });
      return { location, pending };
    },

    async complete(callback, pending) {
      const provider = await discover();
      const claims = await readClaims(provider, callback, pending).catch((error) => {
        throw new OpenIdError("refused", "the provider did not vouch for this sign-in", { cause: error });
      });
      if (readRole(claims, config.roleClaim) !== "admin") {
        throw new OpenIdError("not_admin", `the claim ${config.roleClaim} does not hold admin`);
      }
      return `oidc:${nameOf(claims)}`;
    },
  };
}

async function discoverProvider({ issuer, clientId, clientSecret }: OpenIdConfig) {
  const isPlain = new URL(issuer).protocol === "http:"; // the configuration allows it on loopback alone
  return await client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    timeout: REQUEST_TIMEOUT_SECONDS,
    ...(isPlain ? { execute: [client.allowInsecureRequests] } : {}),
  });
}

async function readClaims(
  provider: client.Configuration,
  callback: URL,
  { state, nonce, codeVerifier }: PendingSignIn,
): Promise<Record<string, unknown>> {
  const tokens = await client.authorizationCodeGrant(provider, callback, {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new Error("no id token came back");
  // Many providers keep the ID token short and tell the rest at the userinfo endpoint.
  if (provider.serverMetadata().userinfo_endpoint === undefined) return claims;
  return { ...await client.fetchUserInfo(provider, tokens.access_token, claims.sub), ...claims };
}

/** An e-mail that the provider does not vouch for could be somebody else's. */
function nameOf(claims: Record<string, unknown>): string {
  const { email, email_verified: isVerified, sub } = claims;
  return typeof email === "string" && isVerified !== false ? email : String(sub);
}
