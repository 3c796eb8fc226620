import { createServer } from "node:http";
import Provider from "oidc-provider";
import { z } from "zod";
import type { JwtConfig, OpenIdConfig } from "../../src/config.ts";

/** A real OpenID Connect provider on a port of its own, with a sign-in page of its own. */
export interface OpenIdProvider {
  config: OpenIdConfig;
  /** As the service is configured that takes the provider's access tokens. */
  jwt: JwtConfig;
  url: string;
  /** Has the provider issue an access token, a JWT, to a program. Its subject is the program's client id. */
  issueToken(program: keyof typeof PROGRAMS): Promise<string>;
  stop(): Promise<void>;
}

/** The accounts that may sign in there, by name: whoever it is, without a password. */
const CLAIMS: Record<string, { email: string; email_verified: boolean; roles: string[] | string }> = {
  ada: { email: "ada@staff.example", email_verified: true, roles: ["reader", "admin"] },
  vi: { email: "vi@staff.example", email_verified: true, roles: ["reader", "viewer"] },
  bo: { email: "bo@staff.example", email_verified: true, roles: ["reader"] },
  di: { email: "di@staff.example", email_verified: true, roles: "reader admin" },
  cy: { email: "ada@staff.example", email_verified: false, roles: ["admin"] },
};

/** Programs that get tokens for themselves, and the roles in them. */
const PROGRAMS = { importer: ["admin"], orders: ["service"], visitor: ["reader"] } as const;
const PROGRAM_SECRET = "the secret of every program";
const AUDIENCE = "https://trainers.example";

/** Starts the provider for a service that will be reached at an address. */
export async function startOpenIdProvider(serviceUrl: string): Promise<OpenIdProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server on a port has an address");
  // Another host than the service's: for browsers, another site.
  const url = `http://localhost:${address.port}`;
  const config = {
    issuer: url,
    clientId: "trainer-assignment",
    clientSecret: "the secret of the browser tests",
    roleClaim: "roles",
  };
  const provider = new Provider(url, {
    clients: [{
      client_id: config.clientId,
      client_secret: config.clientSecret,
      redirect_uris: [`${serviceUrl}/admin/openid/callback`],
    }, ...Object.keys(PROGRAMS).map(clientOf)],
    claims: { openid: ["sub", "roles"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    cookies: { keys: ["a key of the browser tests"] },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: "", audience: AUDIENCE, accessTokenFormat: "jwt" }),
      },
    },
    extraTokenClaims: (_context: unknown, token: { clientId: string }) => {
      const roles = new Map<string, readonly string[]>(Object.entries(PROGRAMS)).get(token.clientId);
      return { roles, "https://trainers.example/roles": roles?.join(" ") };
    },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...CLAIMS[id] }),
    }),
  });
  server.on("request", provider.callback());
  return {
    config,
    jwt: { issuer: url, audience: AUDIENCE, roleClaim: "roles" },
    url,
    async issueToken(program) {
      const response = await fetch(`${url}/token`, {
        method: "POST",
        headers: { Authorization: `Basic ${btoa(`${program}:${encodeURIComponent(PROGRAM_SECRET)}`)}` },
        body: new URLSearchParams({ grant_type: "client_credentials", resource: AUDIENCE }),
      });
      return tokenSchema.parse(await response.json()).access_token;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const tokenSchema = z.object({ access_token: z.string() });

function clientOf(program: string) {
  return {
    client_id: program,
    client_secret: PROGRAM_SECRET,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
  };
}
