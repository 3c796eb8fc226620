import { createServer } from "node:http";
import Provider from "oidc-provider";
import type { OpenIdConfig } from "../../src/config.ts";

/** A real OpenID Connect provider on a port of its own, with a sign-in page of its own. */
export interface OpenIdProvider {
  config: OpenIdConfig;
  url: string;
  stop(): Promise<void>;
}

/** The accounts that may sign in there, by name: whoever it is, without a password. */
const CLAIMS: Record<string, { email: string; email_verified: boolean; roles: string[] }> = {
  ada: { email: "ada@staff.example", email_verified: true, roles: ["reader", "admin"] },
  bo: { email: "bo@staff.example", email_verified: true, roles: ["reader"] },
  cy: { email: "ada@staff.example", email_verified: false, roles: ["admin"] },
};

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
    }],
    claims: { openid: ["sub", "roles"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    cookies: { keys: ["a key of the browser tests"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...CLAIMS[id] }),
    }),
  });
  server.on("request", provider.callback());
  return {
    config,
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
