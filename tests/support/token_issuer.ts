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
  sign(claims?: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Takes a new key in place of the current one. */
  rotate(): Promise<void>;
  /** Goes away, and comes back at the same address. */
  stop(): Promise<void>;
  start(): void;
}

/** Starts an issuer whose tokens name `importer` where they name nobody else. */
export async function startTokenIssuer(algorithm = "ES256"): Promise<TokenIssuer> {
  const audience = "https://trainers.example";
  let asked = 0;
  let key = await makeKey(algorithm);
  let server = serve(0);
  const { port } = server.addr;
  const issuer = `http://127.0.0.1:${port}`;

  function serve(port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, ({ url }) => {
      if (url.endsWith("/.well-known/openid-configuration")) {
        return Response.json({ issuer, jwks_uri: `${issuer}/keys` });
      }
      asked += 1;
      return Response.json({ keys: [key.jwk] });
    });
  }

  return {
    jwt: { issuer, audience, roleClaim: "roles" },
    kid: () => key.kid,
    publicKeyPem: () => exportSPKI(key.publicKey),
    timesAsked: () => asked,
    async sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer, aud: audience, sub: "importer", iat: now, exp: now + 3600, ...claims };
      return await new SignJWT(payload)
        .setProtectedHeader({ alg: algorithm, kid: key.kid, ...header })
        .sign(key.privateKey);
    },
    async rotate() {
      key = await makeKey(algorithm);
    },
    stop: () => server.shutdown(),
    start() {
      server = serve(port);
    },
  };
}

async function makeKey(algorithm: string) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  const kid = crypto.randomUUID();
  return {
    kid,
    publicKey,
    privateKey,
    jwk: { ...await exportJWK(publicKey), kid, alg: algorithm, use: "sig" },
  };
}
