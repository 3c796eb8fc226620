import * as client from "openid-client";
import type { OpenIdConfig } from "../../config.ts";
import { includesRole } from "../../config/roles.ts";
import type { Principal, Refusal } from "../../http/identity/principal.ts";
import { readRole } from "../../http/identity/role_claim.ts";

/** The state of a sign-in while the person is at the provider. */
export interface PendingSignIn {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/** A failed sign-in through the provider. */
export class OpenIdError extends Error {
  /** Who signed in at the provider but may not open the page; undefined: nobody signed in. */
  readonly refusal: Refusal | undefined;

  constructor(message: string, { refusal, ...options }: ErrorOptions & { refusal?: Refusal } = {}) {
    super(message, options);
    this.name = "OpenIdError";
    this.refusal = refusal;
  }
}

/** Signs people in through an OpenID Connect provider: authorization code with PKCE, state and nonce. */
export interface OpenId {
  /** Returns the provider's address to redirect to, and the state to keep meanwhile. */
  begin(redirectUri: string): Promise<{ location: URL; pending: PendingSignIn }>;
  /**
   * Exchanges the provider's code for an ID token, and checks it.
   * @returns the person's role and name, which no token can have: `oidc:` and the e-mail, or else the subject
   * @throws {OpenIdError}
   */
  complete(callback: URL, pending: PendingSignIn): Promise<Principal>;
}

const REQUEST_TIMEOUT_SECONDS = 10;

/** Creates the sign-in. It discovers the provider at the first use, and again after a failure. */
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
        throw new OpenIdError("the provider did not confirm this sign-in", { cause: error });
      });
      const name = `oidc:${nameOf(claims)}`;
      const role = readRole(claims, config.roleClaim);
      if (role === undefined || !includesRole(role, "viewer")) {
        throw new OpenIdError(`the claim ${config.roleClaim} holds neither admin nor viewer`, {
          refusal: { actor: name, needed: "viewer", held: role ?? null },
        });
      }
      return { name, role };
    },
  };
}

async function discoverProvider({ issuer, clientId, clientSecret }: OpenIdConfig) {
  const isPlain = new URL(issuer).protocol === "http:"; // the configuration allows it on loopback only
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
  // Many providers have a short ID token, and more claims at the userinfo endpoint.
  if (provider.serverMetadata().userinfo_endpoint === undefined) return claims;
  return { ...await client.fetchUserInfo(provider, tokens.access_token, claims.sub), ...claims };
}

/** Returns the e-mail, or else the subject. An unverified e-mail may belong to somebody else. */
function nameOf(claims: Record<string, unknown>): string {
  const { email, email_verified: isVerified, sub } = claims;
  return typeof email === "string" && isVerified !== false ? email : String(sub);
}
