import { assertEquals, assertGreater } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { OpenAPIHono } from "@hono/zod-openapi";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import { type AuditFilter, listAuditLines } from "../../src/history/audit_lines.ts";
import type { AppEnv } from "../../src/http/env.ts";
import { recordRefusals, REFUSAL_EVERY_MS } from "../../src/http/identity/access_log.ts";
import { SERVICE_ROLE } from "../support/databases.ts";
import { startTokenIssuer } from "../support/token_issuer.ts";
import { get, HOME, post, signIn } from "./admin_page.ts";
import { serviceFor } from "./jwt_service.ts";
import { recordingLogger, type TestService, testService, TOKENS } from "./test_service.ts";

const ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

describe("the audit log of who came in and who was refused", () => {
  let service: TestService;
  beforeEach(async () => {
    service = await testService();
  });
  afterEach(() => service.stop());

  const lines = async (filter: AuditFilter = {}, { sql } = service) =>
    (await listAuditLines(sql, filter, { limit: 100 })).reverse()
      .map(({ actor, action, after }) => ({ actor, action, after }));

  it("has each sign-in with its role, and each sign-out once", async () => {
    const cookie = await signIn(service, "viewer");
    await post(service, "/admin/logout", cookie);
    await post(service, "/admin/logout", cookie);
    await signIn(service);
    assertEquals(await lines(), [
      { actor: "board", action: "session.started", after: { role: "viewer", by: "token" } },
      { actor: "board", action: "session.ended", after: null },
      { actor: "ops", action: "session.started", after: { role: "admin", by: "token" } },
    ]);
  });

  it("has what a token was refused for want of a role, by the route and without ids", async () => {
    await service.call(`GET /v1/trainers/${ID}`, { as: "service" });
    await service.call(`PUT /v1/trainers/${ID}/clients/${ID}`, { as: "viewer" });
    await service.call(`GET /v1/trainers/${ID}/clients?names=true`, { as: "service" });
    assertEquals(await lines(), [
      {
        actor: "crm",
        action: "access.refused",
        after: { method: "GET", route: "/v1/trainers/:trainerId", needed: "viewer", held: "service" },
      },
      {
        actor: "board",
        action: "access.refused",
        after: {
          method: "PUT",
          route: "/v1/trainers/:trainerId/clients/:memberId",
          needed: "admin",
          held: "viewer",
        },
      },
      {
        actor: "crm",
        action: "access.refused",
        after: { method: "GET", route: "/v1/trainers/:trainerId/clients", needed: "viewer", held: "service" },
      },
    ]);
  });

  it("has the forms of the page that a viewer may not send, and the sign-in with a service's token", async () => {
    const cookie = await signIn(service, "viewer");
    await post(service, `${HOME}/members/${ID}/assign`, cookie);
    await post(service, "/admin/login", "", { token: TOKENS.service });
    const needed = "viewer";
    assertEquals(await lines({ action: "access.refused" }), [
      {
        actor: "board",
        action: "access.refused",
        after: { method: "POST", route: `${HOME}/members/:id/assign`, needed: "admin", held: "viewer" },
      },
      {
        actor: "crm",
        action: "access.refused",
        after: { method: "POST", route: "/admin/login", needed, held: "service" },
      },
    ]);
  });

  it("has a JWT without a role under its subject, and one with too small a role", async () => {
    const issuer = await startTokenIssuer();
    const withJwt = await serviceFor(issuer);
    for (const [sub, roles] of [["anna", []], ["ben", ["service"]]] as const) {
      const token = await issuer.sign({ sub, roles });
      await withJwt.call("GET /v1/policy", { as: "nobody", headers: { Authorization: `Bearer ${token}` } });
    }
    const after = { method: "GET", route: "/v1/policy" };
    assertEquals(await lines({}, withJwt), [
      { actor: "jwt:anna", action: "access.refused", after: { ...after, needed: "service", held: null } },
      { actor: "jwt:ben", action: "access.refused", after: { ...after, needed: "viewer", held: "service" } },
    ]);
    await withJwt.stop();
    await issuer.stop();
  });

  it("has no line for a wrong token, for a stranger, and for what is allowed", async () => {
    await service.call("GET /v1/policy", { as: "nobody" });
    await service.call("GET /v1/policy", { as: "nobody", headers: { Authorization: "Bearer wrong" } });
    await service.call("GET /v1/policy");
    await post(service, "/admin/login", "", { token: "wrong" });
    await get(service, HOME, "trainer_assignment_session=forged");
    assertEquals(await lines(), []);
  });

  it("has the same caller and route once a minute, and others meanwhile", async () => {
    let nowMs = 0;
    const { log } = recordingLogger();
    const app = new OpenAPIHono<AppEnv>();
    app.use(recordRefusals({ sql: service.sql, log }, () => nowMs));
    const refuse = (route: string) =>
      app.on(["GET", "POST"], route, (c) => {
        c.set("requestId", "r");
        c.set("refusal", { actor: c.req.query("by") ?? "crm", needed: "admin", held: "service" });
        return c.text("refused", 403);
      });
    refuse("/one/:id");
    refuse("/two");
    const count = async () => (await lines()).length;
    for (const id of ["1", "2", "3"]) await app.request(`/one/${id}`);
    assertEquals(await count(), 1);
    await app.request("/two");
    await app.request("/one/4", { method: "POST" });
    await app.request("/one/5?by=other");
    assertEquals(await count(), 4);
    nowMs = REFUSAL_EVERY_MS - 1;
    await app.request("/one/6");
    assertEquals(await count(), 4);
    nowMs = REFUSAL_EVERY_MS;
    await Promise.all([app.request("/one/7"), app.request("/one/8")]);
    assertEquals(await count(), 5);
  });

  for (
    const [what, damage] of [
      [
        "the right is revoked",
        "revoke execute on function assignment.record_access from public, " + SERVICE_ROLE,
      ],
      ["the table is gone", "drop table assignment.audit_log cascade"],
    ] as const
  ) {
    it(`holds up neither sign-in nor refusal when ${what}; the log has an error`, async () => {
      await service.sql.unsafe(damage);
      const cookie = await signIn(service);
      assertGreater(cookie.length, 50);
      assertEquals((await get(service, HOME, cookie)).status, 200);
      assertEquals((await service.call("GET /v1/policy", { as: "service" })).status, 403);
      const errors = service.logged.filter(({ event }) => event === "access_not_recorded");
      assertEquals(errors.map(({ level, action, actor }) => [level, action, actor]), [
        ["error", "session.started", "ops"],
        ["error", "access.refused", "crm"],
      ]);
    });
  }

  it("holds up nothing while the database is away", async () => {
    const sql = openDatabase("postgres://nobody@127.0.0.1:1/nowhere", { max: 1, applicationName: "test" });
    const lonely = await testService({ sql });
    const response = await post(lonely, "/admin/login", "", { token: TOKENS.admin });
    assertEquals([response.status, response.headers.getSetCookie().length], [303, 1]);
    const refused = await lonely.app.request("/v1/policy", {
      headers: { Authorization: `Bearer ${TOKENS.service}` },
    });
    assertEquals(refused.status, 403);
    const errors = lonely.logged.filter(({ event }) => event === "access_not_recorded");
    assertEquals(errors.map(({ level, actor }) => [level, actor]), [["error", "ops"], ["error", "crm"]]);
    await closeDatabase(sql, 1);
    await lonely.stop();
  });

  it("holds up a refusal for some seconds at most when the log is locked", async () => {
    await service.database.newConnection().begin(async (other) => {
      await other`lock table assignment.audit_log in access exclusive mode`;
      assertEquals((await service.call("GET /v1/policy", { as: "service" })).status, 403);
      assertEquals((await service.call("GET /v1/policy", { as: "service" })).status, 403, "at once");
    });
    const [error] = service.logged.filter(({ event }) => event === "access_not_recorded");
    assertEquals([error?.level, error?.actor], ["error", "crm"]);
  });
});
