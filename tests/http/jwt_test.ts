import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { SignJWT } from "jose";
import { createJwtVerifier } from "../../src/http/identity/jwt.ts";
import type { ProviderKeysOptions } from "../../src/http/identity/provider_keys.ts";
import { startOpenIdProvider } from "../support/openid_provider.ts";
import { startTokenIssuer, type TokenIssuer } from "../support/token_issuer.ts";
import { waitUntil } from "../support/wait_until.ts";
import { addMembers, recordingLogger, type TestService, testService } from "./test_service.ts";

const admin = { roles: ["admin"] };
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A service that takes an issuer's tokens; asks it as often as tokens make it, where nothing else is said. */
function serviceFor(issuer: TokenIssuer, options: Partial<ProviderKeysOptions> = {}): Promise<TestService> {
  const { log } = recordingLogger();
  return testService({ verifyJwt: createJwtVerifier(issuer.jwt, { log, cooldownMs: 0, ...options }) });
}

/** What the service says to a token: its status, and the code where it refuses. */
async function answerTo(service: TestService, token: string, request = "GET /v1/settings") {
  const response = await service.call(request, {
    as: "nobody",
    headers: { Authorization: `Bearer ${token}` },
  });
  const body = await response.json();
  return { status: response.status, code: body.code, detail: body.detail, headers: response.headers };
}

async function statusOf(service: TestService, token: string, request?: string): Promise<number> {
  return (await answerTo(service, token, request)).status;
}

describe("a JWT as bearer token", () => {
  let issuer: TokenIssuer;
  let service: TestService;
  let memberId: string;
  beforeAll(async () => {
    issuer = await startTokenIssuer();
    service = await serviceFor(issuer);
    [memberId = ""] = await addMembers(service.sql, 1);
  });
  afterAll(async () => {
    await service.stop();
    await issuer.stop();
  });

  const check = () => `GET /v1/members/${memberId}/assignment`;

  it("is taken with the role that its claim holds", async () => {
    const asAdmin = await issuer.sign({ roles: ["reader", "admin"] });
    const asService = await issuer.sign({ roles: "service" });
    assertEquals([await statusOf(service, asAdmin), await statusOf(service, asAdmin, check())], [200, 200]);
    assertEquals([await statusOf(service, asService), await statusOf(service, asService, check())], [
      403,
      200,
    ]);
  });

  it("is refused with 403 when it holds no role, and is told which claim is meant", async () => {
    for (
      const claims of [{}, { roles: ["reader"] }, { roles: "administrator" }, { roles: { admin: true } }]
    ) {
      const { status, code, detail } = await answerTo(service, await issuer.sign(claims), check());
      assertEquals([status, code], [403, "forbidden"]);
      assertStringIncludes(detail, "in roles");
    }
  });

  it("may hold the role inside of another claim", async () => {
    const { log } = recordingLogger();
    const jwt = { ...issuer.jwt, roleClaim: "realm_access.roles" };
    const nested = await testService({ verifyJwt: createJwtVerifier(jwt, { log }) });
    assertEquals(await statusOf(nested, await issuer.sign({ realm_access: { roles: ["admin"] } })), 200);
    assertEquals(await statusOf(nested, await issuer.sign(admin)), 403);
    await nested.stop();
  });

  it("is named in the records by its subject", async () => {
    const token = await issuer.sign({ ...admin, sub: "auth0|5f7c8ec7c33c6c004bbafe82" });
    const started = await service.call("POST /v1/backfills", {
      as: "nobody",
      json: { dryRun: true },
      headers: { Authorization: `Bearer ${token}` },
    });
    assertEquals((await started.json()).requestedBy, "jwt:auth0|5f7c8ec7c33c6c004bbafe82");
    assertEquals(service.logged.at(-1)?.token, "jwt:auth0|5f7c8ec7c33c6c004bbafe82");
  });

  it("is refused where something about it is not right", async () => {
    const now = nowSeconds();
    const publicKey = new TextEncoder().encode(await issuer.publicKeyPem());
    const good = {
      iss: issuer.jwt.issuer,
      aud: issuer.jwt.audience,
      sub: "importer",
      exp: now + 3600,
      ...admin,
    };
    const stranger = await startTokenIssuer();
    const [header = "", payload = "", signature = ""] = (await issuer.sign(admin)).split(".");
    const attempts: Record<string, string> = {
      "another audience": await issuer.sign({ ...admin, aud: "https://other.example" }),
      "no audience": await issuer.sign({ ...admin, aud: [] }),
      "another issuer": await issuer.sign({ ...admin, iss: "https://other.example" }),
      "another issuer's key": await stranger.sign({ ...admin, iss: issuer.jwt.issuer }, {
        kid: issuer.kid(),
      }),
      "no signature": `${encode({ alg: "none" })}.${encode(good)}.`,
      "no signature, spelt otherwise": `${encode({ alg: "nOnE" })}.${encode(good)}.`,
      "the public key as a shared secret": await new SignJWT(good)
        .setProtectedHeader({ alg: "HS256", kid: issuer.kid() }).sign(publicKey),
      "a signature of another token": `${header}.${encode({ ...good, sub: "root" })}.${signature}`,
      "no signature at all": `${header}.${payload}.`,
      "expired": await issuer.sign({ ...admin, exp: now - 90 }),
      "no expiry": await issuer.sign({ ...admin, exp: undefined }),
      "not valid yet": await issuer.sign({ ...admin, nbf: now + 90 }),
      "no subject": await issuer.sign({ ...admin, sub: undefined }),
      "a subject with a line break": await issuer.sign({ ...admin, sub: "a\nb" }),
      "an endless subject": await issuer.sign({ ...admin, sub: "a".repeat(256) }),
      "a logout token": await issuer.sign(admin, { typ: "logout+jwt" }),
      "no JSON": `${Buffer.from("{").toString("base64url")}.e30.AA`,
      "too large": await issuer.sign({ ...admin, groups: "g".repeat(20_000) }),
    };
    for (const [name, token] of Object.entries(attempts)) {
      const { status, code, headers } = await answerTo(service, token);
      assertEquals({ name, status, code }, { name, status: 401, code: "unauthorized" });
      assertStringIncludes(headers.get("WWW-Authenticate") ?? "", 'error="invalid_token"');
    }
    await stranger.stop();
  });

  it("says why it is refused", async () => {
    const { detail } = await answerTo(service, await issuer.sign({ ...admin, exp: nowSeconds() - 90 }));
    assertEquals(detail, "The token has expired, or has no expiry.");
  });

  it("is told what came and what is wanted when it is for somewhere else, as the log is", async () => {
    const { issuer: wanted, audience } = issuer.jwt;
    const long = "x".repeat(1000);
    const hostile = 'https://evil.example/\r\nSet-Cookie: a=b\u001b[31m\u202e"é';
    const attempts: [claims: Record<string, unknown>, detail: string][] = [
      [
        { iss: "https://other.example" },
        `issuer (iss) is "https://other.example"; here it must be ${wanted}.`,
      ],
      [{ iss: undefined }, `issuer (iss) is missing; here it must be ${wanted}.`],
      [{ iss: `${wanted}/` }, `issuer (iss) is "${wanted}/"; here it must be ${wanted}.`],
      [{ iss: hostile }, 'issuer (iss) is "https://evil.example/??Set-Cookie: a=b?[31m?"?"; here'],
      [{ iss: long }, `issuer (iss) is "${"x".repeat(200)}..."; here it must be ${wanted}.`],
      [{ aud: "https://other.example" }, `(aud) is "https://other.example"; here it must be ${audience}.`],
      [{ aud: ["a", "b"] }, `(aud) is "a", "b"; here it must be ${audience}.`],
      [{ aud: Array(1000).fill("a") }, `(aud) is ${'"a", '.repeat(5)}995 more; here it must be ${audience}.`],
      [{ aud: [] }, `(aud) is missing; here it must be ${audience}.`],
      [{ aud: undefined }, `(aud) is missing; here it must be ${audience}.`],
    ];
    for (const [claims, expected] of attempts) {
      const { status, detail, headers } = await answerTo(service, await issuer.sign({ ...admin, ...claims }));
      assertEquals(status, 401);
      assertStringIncludes(detail, expected);
      assertMatch(detail, /^[\x20-\x7e]{1,1500}$/);
      assertEquals([...headers].filter(([name]) => name === "set-cookie"), []);
      const { event, level, reason, requestId } = service.logged.at(-2) ?? {};
      assertEquals([event, level, reason], ["token_misdirected", "warn", detail]);
      assertEquals(requestId, headers.get("X-Request-Id"));
    }
  });

  it("has 30 s of leeway at both of its ends", async () => {
    const now = nowSeconds();
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, exp: now - 10 })), 200);
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, nbf: now + 25 })), 200);
  });

  it("may call itself an access token, or nothing", async () => {
    for (const typ of ["JWT", "at+jwt", "application/at+jwt"]) {
      assertEquals(await statusOf(service, await issuer.sign(admin, { typ })), 200);
    }
  });

  it("is not remembered past its end by whatever answers checks fast", async () => {
    const token = await issuer.sign({ roles: ["service"], exp: nowSeconds() - 25 });
    assertEquals(await statusOf(service, token, check()), 200);
    await waitUntil("the token is refused", async () => await statusOf(service, token, check()) === 401);
  });

  it("is no token at all for a service that names no provider", async () => {
    const plain = await testService();
    assertEquals(await statusOf(plain, await issuer.sign(admin)), 401);
    await plain.stop();
  });
});

describe("the keys of a provider", () => {
  it("are asked for once, however many tokens come", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer);
    const token = await issuer.sign(admin);
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(service, token)));
    assertEquals(new Set(statuses), new Set([200]));
    assertEquals(issuer.timesAsked(), 1);
    await service.stop();
    await issuer.stop();
  });

  it("are asked for again when a token names a new one, and the old one is good no longer", async () => {
    const issuer = await startTokenIssuer("RS256");
    const service = await serviceFor(issuer);
    const old = await issuer.sign(admin);
    assertEquals(await statusOf(service, old), 200);
    await issuer.rotate();
    assertEquals(await statusOf(service, await issuer.sign(admin)), 200);
    assertEquals(await statusOf(service, old), 401);
    await service.stop();
    await issuer.stop();
  });

  it("may be several of one kind, though tokens name none of them", async () => {
    for (const algorithm of ["ES256", "RS256", "EdDSA"]) {
      const issuer = await startTokenIssuer(algorithm);
      const tokens = [await issuer.sign(admin, { kid: undefined })];
      for (let number = 0; number < 2; number++) {
        await issuer.addKey();
        tokens.push(await issuer.sign(admin, { kid: undefined }));
      }
      const service = await serviceFor(issuer, { cooldownMs: 3_600_000 });
      for (const token of tokens) assertEquals(await statusOf(service, token), 200);
      assertEquals(
        await statusOf(service, await issuer.sign({ ...admin, aud: "a" }, { kid: undefined })),
        401,
      );
      const stranger = await startTokenIssuer(algorithm);
      const forged = await stranger.sign({ ...admin, iss: issuer.jwt.issuer }, { kid: undefined });
      assertEquals(await statusOf(service, forged), 401);
      assertEquals(issuer.timesAsked(), 1);
      for (const started of [service, issuer, stranger]) await started.stop();
    }
  });

  it("may have no names, or one name for good, and change all the same", async () => {
    for (const kid of [null, "the-key"]) {
      const issuer = await startTokenIssuer("ES256", { kid });
      const service = await serviceFor(issuer);
      const old = await issuer.sign(admin);
      assertEquals(await statusOf(service, old), 200);
      await issuer.rotate();
      assertEquals(await statusOf(service, await issuer.sign(admin)), 200);
      assertEquals(await statusOf(service, old), 401);
      await issuer.addKey(); // two of the same name
      assertEquals(await statusOf(service, await issuer.sign(admin)), 200);
      await service.stop();
      await issuer.stop();
    }
  });

  it("are not waited for longer than the time-out; a provider that did not answer is left alone for a while", async () => {
    const issuer = await startTokenIssuer();
    const { release } = issuer.hold();
    const service = await serviceFor(issuer, { timeoutMs: 100, cooldownMs: 3_600_000 });
    const token = await issuer.sign(admin);
    const answers = await Promise.all([1, 2, 3].map(() => answerTo(service, token)));
    assertEquals(answers.map(({ code }) => code), Array(3).fill("identity_provider_unavailable"));
    assertEquals((await answerTo(service, token)).code, "identity_provider_unavailable");
    assertEquals(issuer.timesAsked(), 1);
    release();
    await service.stop();
    await issuer.stop();
  });

  it("that are known serve at once while a renewal hangs", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer, { freshMs: 0 });
    const token = await issuer.sign(admin);
    assertEquals(await statusOf(service, token), 200);
    const { release } = issuer.hold();
    for (let time = 0; time < 3; time++) assertEquals(await statusOf(service, token), 200);
    release();
    await service.stop();
    await issuer.stop();
  });

  it("are not asked for again and again by who makes keys up", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer, { cooldownMs: 3_600_000 });
    const good = await issuer.sign(admin);
    assertEquals(await statusOf(service, good), 200);
    for (let number = 0; number < 10; number++) {
      assertEquals(await statusOf(service, await issuer.sign(admin, { kid: `made up ${number}` })), 401);
    }
    assertEquals(issuer.timesAsked(), 1);
    assertEquals(await statusOf(service, good), 200);
    await service.stop();
    await issuer.stop();
  });

  it("are renewed beside the requests when they are old", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer, { freshMs: 0 });
    const old = await issuer.sign(admin);
    assertEquals(await statusOf(service, old), 200);
    await issuer.rotate();
    await waitUntil("the old key is forgotten", async () => await statusOf(service, old) === 401);
    await service.stop();
    await issuer.stop();
  });

  it("that are known stay good while the provider is away; with others the answer is 503 until it is back", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer, { freshMs: 0 });
    const known = await issuer.sign(admin);
    assertEquals(await statusOf(service, known), 200);
    await issuer.rotate();
    const unknown = await issuer.sign(admin);
    await issuer.stop();

    assertEquals(await statusOf(service, known), 200);
    const { status, code, headers } = await answerTo(service, unknown);
    assertEquals([status, code, headers.get("Retry-After")], [503, "identity_provider_unavailable", "5"]);
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, exp: nowSeconds() - 90 })), 401);
    assertEquals((await service.call("GET /v1/settings")).status, 200); // a configured token

    issuer.start();
    assertEquals(await statusOf(service, unknown), 200);
    await service.stop();
    await issuer.stop();
  });

  it("that were never known leave JWTs with 503 and configured tokens as they are", async () => {
    const issuer = await startTokenIssuer();
    await issuer.stop();
    const service = await serviceFor(issuer);
    assertEquals((await answerTo(service, await issuer.sign(admin))).code, "identity_provider_unavailable");
    assertEquals((await service.call("GET /v1/settings", { as: "admin" })).status, 200);
    assertEquals((await service.call("GET /v1/settings", { as: "service" })).status, 403);
    assertEquals(await statusOf(service, "no-token-of-ours"), 401);
    await service.stop();
  });

  it("are not taken from a provider that says it is another one", async () => {
    const issuer = await startTokenIssuer();
    const { log, logged } = recordingLogger();
    const jwt = { ...issuer.jwt, issuer: issuer.jwt.issuer.replace("127.0.0.1", "localhost") };
    const service = await testService({ verifyJwt: createJwtVerifier(jwt, { log, cooldownMs: 0 }) });
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, iss: jwt.issuer })), 503);
    assertStringIncludes(JSON.stringify(logged), `the provider is ${issuer.jwt.issuer}`);
    await service.stop();
    await issuer.stop();
  });

  it("of a provider that others have written are found and used as well", async () => {
    const provider = await startOpenIdProvider("http://127.0.0.1:1");
    const { log } = recordingLogger();
    for (const roleClaim of ["roles", "https://trainers.example/roles"]) {
      const service = await testService({
        verifyJwt: createJwtVerifier({ ...provider.jwt, roleClaim }, { log }),
      });
      const statuses = [];
      for (const program of ["importer", "orders", "visitor"] as const) {
        statuses.push(await statusOf(service, await provider.issueToken(program)));
      }
      assertEquals(statuses, [200, 403, 403]);
      assertEquals(
        service.logged.filter(({ route }) => route === "/v1/settings").map(({ token }) => token),
        ["jwt:importer", "jwt:orders", undefined],
      );
      await service.stop();
    }
    await provider.stop();
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
