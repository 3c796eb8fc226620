import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createJwtVerifier } from "../../src/http/identity/jwt.ts";
import { startOpenIdProvider } from "../support/openid_provider.ts";
import { startTokenIssuer } from "../support/token_issuer.ts";
import { waitUntil } from "../support/wait_until.ts";
import { admin, answerTo, nowSeconds, serviceFor, statusOf } from "./jwt_service.ts";
import { recordingLogger, testService } from "./test_service.ts";

describe("the keys of a provider", () => {
  it("are fetched once, however many tokens arrive", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer);
    const token = await issuer.sign(admin);
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(service, token)));
    assertEquals(new Set(statuses), new Set([200]));
    assertEquals(issuer.timesAsked(), 1);
    await service.stop();
    await issuer.stop();
  });

  it("are fetched again when a token names a new one, and the old one is no longer valid", async () => {
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

  it("may be several of one kind, even if tokens name none", async () => {
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

  it("may change even if they have no name, or always the same one", async () => {
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

  it("are not waited for longer than the time-out, and a silent provider is not asked again for a while", async () => {
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

  it("are not fetched again and again for invented key names", async () => {
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

  it("are renewed in the background when they are old", async () => {
    const issuer = await startTokenIssuer();
    const service = await serviceFor(issuer, { freshMs: 0 });
    const old = await issuer.sign(admin);
    assertEquals(await statusOf(service, old), 200);
    await issuer.rotate();
    await waitUntil("the old key is forgotten", async () => await statusOf(service, old) === 401);
    await service.stop();
    await issuer.stop();
  });

  it("that are known stay valid while the provider is away, and others get 503 until it is back", async () => {
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
    assertEquals((await service.call("GET /v1/policy")).status, 200); // a configured token

    issuer.start();
    assertEquals(await statusOf(service, unknown), 200);
    await service.stop();
    await issuer.stop();
  });

  it("that were never known mean 503 for JWTs, and change nothing for configured tokens", async () => {
    const issuer = await startTokenIssuer();
    await issuer.stop();
    const service = await serviceFor(issuer);
    assertEquals((await answerTo(service, await issuer.sign(admin))).code, "identity_provider_unavailable");
    assertEquals((await service.call("GET /v1/policy", { as: "admin" })).status, 200);
    assertEquals((await service.call("GET /v1/policy", { as: "service" })).status, 403);
    assertEquals(await statusOf(service, "no-token-of-ours"), 401);
    await service.stop();
  });

  it("are not accepted from a provider that names another issuer", async () => {
    const issuer = await startTokenIssuer();
    const { log, logged } = recordingLogger();
    const jwt = { ...issuer.jwt, issuer: issuer.jwt.issuer.replace("127.0.0.1", "localhost") };
    const service = await testService({ verifyJwt: createJwtVerifier(jwt, { log, cooldownMs: 0 }) });
    assertEquals(await statusOf(service, await issuer.sign({ ...admin, iss: jwt.issuer })), 503);
    assertStringIncludes(JSON.stringify(logged), `the provider is ${issuer.jwt.issuer}`);
    await service.stop();
    await issuer.stop();
  });

  it("of another provider implementation are found and used too", async () => {
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
        service.logged.filter(({ route }) => route === "/v1/policy").map(({ token }) => token),
        ["jwt:importer", "jwt:orders", undefined],
      );
      await service.stop();
    }
    await provider.stop();
  });
});
