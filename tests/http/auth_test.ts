import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { declaredRole } from "../../src/http/route.ts";
import { type CallOptions, type TestService, testService } from "./test_service.ts";
import { testHook } from "../support/member_events.ts";

const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

/** What a viewer may do that a service may not; all of it changes nothing. */
const FOR_VIEWERS = [
  "GET /v1/audit",
  "GET /v1/backfills",
  "GET /v1/backfills/:id",
  "GET /v1/backfills/:id/errors",
  "GET /v1/backfills/:id/events",
  "GET /v1/failures",
  "GET /v1/hooks/members/failures",
  "GET /v1/members",
  "GET /v1/members/:memberId/decision",
  "GET /v1/policy",
  "GET /v1/policy/versions",
  "GET /v1/policy/versions/:version",
  "GET /v1/trainers",
  "GET /v1/trainers/:trainerId",
  "GET /v1/transfers",
  "GET /v1/transfers/:id",
  "GET /v1/transfers/:id/errors",
  "GET /v1/transfers/:id/events",
  "GET /v1/webhooks",
  "GET /v1/webhooks/:id",
  "GET /v1/webhooks/:id/deliveries",
  "GET /v1/webhooks/:id/deliveries/:messageId",
  "POST /v1/policy/preview",
];

const CALLERS: Record<string, CallOptions> = {
  none: { as: "nobody" },
  malformed: { as: "nobody", headers: { Authorization: "Bearer two words" } },
  "another scheme": { as: "nobody", headers: { Authorization: "Basic b3BzOnNlY3JldA==" } },
  wrong: { as: "nobody", headers: { Authorization: "Bearer admin-token-of-the-tesu" } },
  service: { as: "service" },
  viewer: { as: "viewer" },
  admin: { as: "admin" },
};

/** The router's own routes, each once, with its first handler. */
function routesOf(app: TestService["app"]) {
  const routes = new Map<string, { method: string; path: string; role: ReturnType<typeof declaredRole> }>();
  for (const { method, path, handler } of app.router.routes) {
    const key = `${method} ${path}`;
    if (method !== "ALL" && !routes.has(key)) routes.set(key, { method, path, role: declaredRole(handler) });
  }
  return [...routes.values()];
}

function expectedStatus(role: string, caller: string): 401 | 403 | "passes" {
  if (role === "none") return "passes";
  if (role === "signature") return 401; // a token is none
  const allowed: Record<string, string[]> = {
    service: ["service"],
    viewer: ["service", "viewer"],
    admin: ["service", "viewer", "admin"],
  };
  if (allowed[caller] === undefined) return 401;
  return allowed[caller].includes(role) ? "passes" : 403;
}

describe("authorization", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService({ memberHook: testHook() });
  });
  afterAll(() => service.stop());

  it("is declared by every route of the router", () => {
    const routes = routesOf(service.app);
    assertEquals(routes.filter(({ role }) => role === undefined), []);
    assertEquals(routes.length > 20, true);
  });

  it("is reported missing when a route is added without addRoute", async () => {
    const other = await testService();
    other.app.router.get("/v1/forgotten", (c) => c.text("for everybody"));
    const forgotten = routesOf(other.app).filter(({ role }) => role === undefined);
    assertEquals(forgotten.map(({ path }) => path), ["/v1/forgotten"]);
    await other.stop();
  });

  it("lets each caller do on each route what its role says, and nothing else", async () => {
    for (const { method, path, role = "undeclared" } of routesOf(service.app)) {
      for (const [caller, options] of Object.entries(CALLERS)) {
        const response = await service.call(`${method} ${path.replaceAll(/:\w+/g, SOME_ID)}`, options);
        await response.body?.cancel();
        const passes = response.status !== 401 && response.status !== 403;
        const got = passes ? "passes" : response.status;
        assertEquals(
          `${method} ${path} as ${caller}: ${got}`,
          `${method} ${path} as ${caller}: ${expectedStatus(role, caller)}`,
        );
      }
    }
  });

  it("lets a viewer read all that an admin reads but a member's export, and change nothing", () => {
    const routes = routesOf(service.app);
    const ofRole = (wanted: string) =>
      routes.filter(({ role }) => role === wanted).map(({ method, path }) => `${method} ${path}`).sort();
    assertEquals(ofRole("viewer"), FOR_VIEWERS);
    assertEquals(
      ofRole("admin").filter((route) => route.startsWith("GET ")),
      ["GET /v1/members/:memberId/export"],
      "all that is kept of somebody is for who may delete it",
    );
    assertEquals(
      ofRole("service").filter((route) => !route.startsWith("GET ")),
      ["POST /v1/assignments/check"],
    );
  });

  it("guards HEAD like GET", async () => {
    assertEquals((await service.call("HEAD /v1/policy", { as: "nobody" })).status, 401);
    assertEquals((await service.call("HEAD /v1/policy", { as: "service" })).status, 403);
    assertEquals((await service.call("HEAD /v1/policy")).status, 200);
  });

  it("challenges callers without a token", async () => {
    const response = await service.call("GET /v1/policy", { as: "nobody" });
    assertEquals(response.status, 401);
    assertEquals(response.headers.get("WWW-Authenticate"), 'Bearer realm="trainer-assignment"');
    assertEquals((await response.json()).code, "unauthorized");
  });

  it("says that a token is invalid, and quotes nothing of it", async () => {
    const response = await service.call("GET /v1/policy", CALLERS.wrong);
    assertEquals(
      response.headers.get("WWW-Authenticate"),
      'Bearer realm="trainer-assignment", error="invalid_token"',
    );
    assertEquals((await response.text()).includes("admin-token"), false);
  });

  it("names the role that is needed", async () => {
    for (
      const [as, request, needed] of [
        ["service", "GET /v1/policy", "viewer"],
        ["viewer", "POST /v1/failures/retry", "admin"],
      ] as const
    ) {
      const response = await service.call(request, { as });
      assertEquals(response.status, 403);
      assertStringIncludes(
        response.headers.get("WWW-Authenticate") ?? "",
        `error="insufficient_scope", scope="${needed}"`,
      );
      const problem = await response.json();
      assertEquals(problem.code, "forbidden");
      assertStringIncludes(problem.detail, `role ${needed}`);
    }
  });

  it("takes the scheme in any case", async () => {
    const response = await service.call("GET /v1/policy", {
      as: "nobody",
      headers: { Authorization: "bEARER admin-token-of-the-test" },
    });
    assertEquals(response.status, 200);
  });

  it("comes before the input is validated", async () => {
    const response = await service.call("PUT /v1/policy?x=1", { as: "service", json: { nonsense: true } });
    assertEquals(response.status, 403);
  });

  it("accepts nobody if no token is configured", async () => {
    const closed = await testService({ tokens: [] });
    assertEquals((await closed.call("GET /v1/policy")).status, 401);
    assertEquals(
      (await closed.call("GET /v1/policy", { as: "nobody", headers: { Authorization: "Bearer" } })).status,
      401,
    );
    await closed.stop();
  });

  it("leaves the token's name in the log, and never the token", async () => {
    await service.call("GET /v1/policy");
    assertEquals(service.logged.at(-1)?.token, "ops");
    assertEquals(JSON.stringify(service.logged).includes("token-of-the-test"), false);
  });
});
