import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { SignJWT } from "jose";
import { createJwtVerifier } from "../../src/http/identity/jwt.ts";
import { startTokenIssuer, type TokenIssuer } from "../support/token_issuer.ts";
import { waitUntil } from "../support/wait_until.ts";
import { admin, answerTo, nowSeconds, serviceFor, statusOf } from "./jwt_service.ts";
import { addMembers, recordingLogger, type TestService, testService } from "./test_service.ts";

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

  it("is accepted with the role in its claim", async () => {
    const asAdmin = await issuer.sign({ roles: ["reader", "admin"] });
    const asViewer = await issuer.sign({ roles: ["viewer", "service"] });
    const asService = await issuer.sign({ roles: "service" });
    assertEquals([await statusOf(service, asAdmin), await statusOf(service, asAdmin, check())], [200, 200]);
    const change = "POST /v1/failures/retry";
    assertEquals([await statusOf(service, asViewer), await statusOf(service, asViewer, change)], [200, 403]);
    assertEquals([await statusOf(service, asService), await statusOf(service, asService, check())], [
      403,
      200,
    ]);
  });

  it("is refused with 403 without a role, and the answer names the claim", async () => {
    for (
      const claims of [{}, { roles: ["reader"] }, { roles: "administrator" }, { roles: { admin: true } }]
    ) {
      const { status, code, detail } = await answerTo(service, await issuer.sign(claims), check());
      assertEquals([status, code], [403, "forbidden"]);
      assertStringIncludes(detail, "in roles");
    }
  });

  it("may have the role inside another claim", async () => {
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

  it("is refused if anything about it is wrong", async () => {
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

  it("for another issuer or audience is refused with the actual and the required one, which the log has too", async () => {
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

  it("has 30 s of leeway at its start and its end", async () => {
    const now = nowSeconds();
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, exp: now - 10 })), 200);
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, nbf: now + 25 })), 200);
  });

  it("may have the type of an access token, or none", async () => {
    for (const typ of ["JWT", "at+jwt", "application/at+jwt"]) {
      assertEquals(await statusOf(service, await issuer.sign(admin, { typ })), 200);
    }
  });

  it("is not accepted after its expiry by the fast path of checks", async () => {
    const token = await issuer.sign({ roles: ["service"], exp: nowSeconds() - 25 });
    assertEquals(await statusOf(service, token, check()), 200);
    await waitUntil("the token is refused", async () => await statusOf(service, token, check()) === 401);
  });

  it("is an unknown token for a service without a provider", async () => {
    const plain = await testService();
    assertEquals(await statusOf(plain, await issuer.sign(admin)), 401);
    await plain.stop();
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
