import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { createJwtVerifier } from "../../src/http/identity/jwt.ts";
import { createRateLimit } from "../../src/http/rate_limit.ts";
import type { Services } from "../../src/http/services.ts";
import { startTokenIssuer } from "../support/token_issuer.ts";
import { waitUntil } from "../support/wait_until.ts";
import { get, HOME, post, signIn } from "./admin_page.ts";
import {
  addMembers,
  type CallOptions,
  recordingLogger,
  type TestService,
  testService,
  TOKENS,
} from "./test_service.ts";

/** What an answer says of the limit. */
function limitOf({ status, headers }: Response) {
  return [
    status,
    headers.get("RateLimit-Policy"),
    headers.get("RateLimit")?.replace(/t=\d+$/, "t=…") ?? null,
  ];
}

describe("the arithmetic of the rate limit", () => {
  function limitAt(perMinute: number) {
    const clock = { ms: 1_000_000 };
    const takeQuota = createRateLimit(perMinute, () => clock.ms);
    const take = (name = "crm") => {
      const quota = takeQuota?.(name);
      return [quota?.isExceeded, quota?.headers.RateLimit];
    };
    return { clock, take };
  }

  it("allows the whole quota at once, and refuses the next", () => {
    for (const perMinute of [1, 3, 7, 60, 997]) {
      const { take } = limitAt(perMinute);
      const answers = Array.from({ length: perMinute + 1 }, () => take()[0]);
      assertEquals(answers, [...Array(perMinute).fill(false), true], `${perMinute}`);
    }
  });

  it("refills during the minute, and never above the quota", () => {
    const { clock, take } = limitAt(3);
    assertEquals([take(), take(), take(), take()], [
      [false, '"token";r=2;t=20'],
      [false, '"token";r=1;t=20'],
      [false, '"token";r=0;t=20'],
      [true, '"token";r=0;t=20'],
    ]);
    clock.ms += 15_000;
    assertEquals(take(), [true, '"token";r=0;t=5']);
    clock.ms += 5000;
    assertEquals([take(), take()], [[false, '"token";r=0;t=20'], [true, '"token";r=0;t=20']]);
    clock.ms += 3_600_000;
    assertEquals(take(), [false, '"token";r=2;t=20']);
  });
});

describe("the rate limit of a service", () => {
  const LIMIT = 3;
  const policy = `"token";q=${LIMIT};w=60`;
  let service: TestService;
  let memberId: string;
  beforeAll(async () => {
    service = await testService();
    [memberId = ""] = await addMembers(service.sql, 1);
  });
  afterAll(() => service.stop());

  /** The same service with a limit of its own. */
  async function limited(
    given: number | Partial<Services>,
    test: (limited: TestService) => Promise<void>,
  ) {
    const limited = await testService(typeof given === "number" ? { rateLimitPerMinute: given } : given);
    try {
      [memberId = ""] = await addMembers(limited.sql, 1);
      await test(limited);
    } finally {
      await limited.stop();
    }
  }

  async function call(to: TestService, request: string, options?: CallOptions): Promise<Response> {
    const response = await to.call(request, options);
    await response.clone().body?.cancel();
    return response;
  }

  it("is off by default, without headers", async () => {
    for (let time = 0; time < 5; time++) {
      for (const path of [`/v1/members/${memberId}/assignment`, "/v1/policy"]) {
        assertEquals(limitOf(await call(service, `GET ${path}`)), [200, null, null]);
      }
    }
  });

  it("says what is left, then refuses with Retry-After, for each token separately", async () => {
    await limited(LIMIT, async (service) => {
      for (const remaining of [2, 1, 0]) {
        const response = await call(service, "GET /v1/policy");
        assertEquals(limitOf(response), [200, policy, `"token";r=${remaining};t=…`]);
      }
      const refused = await call(service, "GET /v1/policy");
      assertEquals(limitOf(refused), [429, policy, '"token";r=0;t=…']);
      assertMatch(refused.headers.get("Retry-After") ?? "", /^([1-9]|1\d|20)$/);
      assertEquals((await refused.json()).code, "rate_limited");
      const other = await call(service, "GET /v1/policy", { as: "service" });
      assertEquals(limitOf(other), [403, policy, '"token";r=2;t=…']);
      assertEquals(limitOf(await call(service, "GET /livez", { as: "nobody" })), [200, null, null]);
      assertEquals(limitOf(await call(service, "GET /v1/policy", { as: "nobody" })), [401, null, null]);
    });
  });

  it("also applies to the fast path of checks, and counts each once", async () => {
    await limited(LIMIT, async (service) => {
      const check = (id: string) => call(service, `GET /v1/members/${id}/assignment`, { as: "service" });
      assertEquals(limitOf(await check(memberId)), [200, policy, '"token";r=2;t=…']); // the fast path learns the headers
      assertEquals(limitOf(await check(crypto.randomUUID())), [404, policy, '"token";r=1;t=…']);
      assertEquals(limitOf(await check(memberId)), [200, policy, '"token";r=0;t=…']);
      assertEquals(limitOf(await check(memberId)), [429, policy, '"token";r=0;t=…']);
    });
  });

  it("is over after the announced time", async () => {
    await limited(30, async (service) => {
      const status = async () => (await call(service, "GET /v1/policy")).status;
      await waitUntil("the quota is used up", async () => await status() === 429);
      await waitUntil("the quota is back", async () => await status() === 200);
    });
  });

  it("does not apply to the admin page, which uses nothing of a token's quota", async () => {
    await limited(LIMIT, async (service) => {
      const cookie = await signIn(service);
      const visit = async () => {
        for (const path of [HOME, "/v1/policy"]) {
          const response = await get(service, path, cookie);
          assertEquals(limitOf(response), [200, null, null], path);
          await response.body?.cancel();
        }
      };
      for (let time = 0; time < LIMIT; time++) await visit();
      for (const status of [200, 200, 200, 429]) {
        assertEquals((await call(service, "GET /v1/policy")).status, status);
      }
      await visit();
      const both = await call(service, "GET /v1/policy", { headers: { cookie } });
      assertEquals(both.status, 429); // who sends a token is taken at their word
    });
  });

  it("counts JWTs by their subject, and invalid ones not at all", async () => {
    const issuer = await startTokenIssuer();
    const verifyJwt = createJwtVerifier(issuer.jwt, { log: recordingLogger().log, cooldownMs: 0 });
    await limited({ rateLimitPerMinute: LIMIT, verifyJwt }, async (service) => {
      const ask = async (claims: Record<string, unknown>, path = "/v1/policy") => {
        const headers = { Authorization: `Bearer ${await issuer.sign(claims)}` };
        return limitOf(await call(service, `GET ${path}`, { as: "nobody", headers }));
      };
      const ours = { sub: "importer", roles: ["admin"] };
      assertEquals(await ask({ ...ours, aud: "https://elsewhere.example" }), [401, null, null]);
      assertEquals(await ask(ours), [200, policy, '"token";r=2;t=…']);
      assertEquals(await ask({ ...ours, jti: "a new token" }), [200, policy, '"token";r=1;t=…']);
      assertEquals(await ask(ours, `/v1/members/${memberId}/assignment`), [200, policy, '"token";r=0;t=…']);
      assertEquals(await ask(ours), [429, policy, '"token";r=0;t=…']);
      assertEquals(await ask({ ...ours, sub: "another" }), [200, policy, '"token";r=2;t=…']);
      assertEquals(await ask({ sub: "reader", roles: ["service"] }), [403, policy, '"token";r=2;t=…']);
      assertEquals(limitOf(await call(service, "GET /v1/policy")), [200, policy, '"token";r=2;t=…']);
    });
    await issuer.stop();
  });
});

describe("the limit on signing in to the admin page", () => {
  it("does not affect signed-in admins or the API", async () => {
    const service = await testService();
    const cookie = await signIn(service);
    for (const status of [401, 401, 401, 401, 401, 429]) {
      assertEquals((await post(service, "/admin/login", "", { token: "a guess" })).status, status);
    }
    assertEquals((await post(service, "/admin/login", "", { token: TOKENS.admin })).status, 429);
    assertEquals((await get(service, HOME, cookie)).status, 200);
    assertEquals((await service.call("GET /v1/policy")).status, 200);
    await service.stop();
  });
});
