import { exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import type { JwtConfig } from "../../src/config.ts";

/** An issuer of JWTs with discovery and keys over HTTP, whose keys the test changes as it likes. */
export interface TokenIssuer {
  /** As the service is configured that takes its tokens. */
  jwt: JwtConfig;
  /** The id of the current key. */
  kid(): string;
  /** The current key, as anybody may have it. */
  publicKeyPem(): Promise<string>;
  /** How often somebody asked for the keys. */
  timesAsked(): number;
  /** Signs with the current key: a good token for an hour, but for what is given. */
  sign(claims?: Record<string, unknown>, header?: TokenHeader): Promise<string>;
  /** Takes a new key in place of all others. */
  rotate(): Promise<void>;
  /** Takes a new key and goes on publishing the others. */
  addKey(): Promise<void>;
  /** Answers the question for the keys only when the test says so. */
  hold(): { release(): void };
  /** Goes away, and comes back at the same address. */
  stop(): Promise<void>;
  start(): void;
}

/** What a token says of itself; `kid: undefined` leaves out the key's name. */
interface TokenHeader {
  kid?: string | undefined;
  typ?: string;
}

/**
 * Starts an issuer whose tokens name `importer` where they name nobody else.
 * @param options.kid the name of every key; each has one of its own where none is given, null for no name at all
 */
export async function startTokenIssuer(
  algorithm = "ES256",
  { kid }: { kid?: string | null } = {},
): Promise<TokenIssuer> {
  const audience = "https://trainers.example";
  let asked = 0;
  let held = Promise.resolve();
  const newKey = () => makeKey(algorithm, kid === undefined ? crypto.randomUUID() : kid ?? undefined);
  let key = await newKey();
  let published = [key];
  let server = serve(0);
  const { port } = server.addr;
  const issuer = `http://127.0.0.1:${port}`;

  function serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async ({ url }) => {
      if (url.endsWith("/.well-known/openid-configuration")) {
        return Response.json({ issuer, jwks_uri: `${issuer}/keys` });
      }
      asked += 1;
      await held;
      return Response.json({ keys: published.map(({ jwk }) => jwk) });
    });
  }

  return {
    jwt: { issuer, audience, roleClaim: "roles" },
    kid: () => key.kid ?? "",
    publicKeyPem: () => exportSPKI(key.publicKey),
    timesAsked: () => asked,
    async sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer, aud: audience, sub: "importer", iat: now, exp: now + 3600, ...claims };
      return await new SignJWT(payload)
        .setProtectedHeader(headerOf({ kid: key.kid, ...header }, algorithm))
        .sign(key.privateKey);
    },
    async rotate() {
      key = await newKey();
      published = [key];
    },
    async addKey() {
      key = await newKey();
      published = [...published, key];
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return { release: resolve };
    },
    stop: () => server.shutdown(),
    start() {
      server = serve(port);
    },
  };
}

function headerOf({ kid, ...others }: TokenHeader, alg: string): JWTHeaderParameters {
  return { alg, ...others, ...(kid === undefined ? {} : { kid }) };
}

async function makeKey(algorithm: string, kid: string | undefined) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  const name = kid === undefined ? {} : { kid };
  return {
    kid,
    publicKey,
    privateKey,
    jwk: { ...await exportJWK(publicKey), ...name, alg: algorithm, use: "sig" },
  };
}
