import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { SERVICE_ROLE } from "../support/databases.ts";
import { readProblem } from "./problem.ts";
import { type TestService, testService } from "./test_service.ts";

const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

describe("errors", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  it("answer 404 on unknown paths", async () => {
    for (
      const path of [
        "/v1",
        "/v1/backfill",
        "/v1/policy/",
        "/v1//policy",
        "/v1/members/assignment",
      ]
    ) {
      const response = await service.call(`GET ${path}`);
      assertEquals(response.status, 404, path);
      assertEquals((await readProblem(response)).code, "not_found");
    }
  });

  it("answer 405 with Allow on known paths", async () => {
    const cases: Record<string, string> = {
      "PATCH /v1/backfills": "GET, HEAD, POST",
      "DELETE /v1/policy": "GET, HEAD, PUT",
      [`GET /v1/trainers/${SOME_ID}/clients/${SOME_ID}`]: "DELETE, PUT",
      "GET /v1/failures/retry": "POST",
      "POST /livez": "GET, HEAD",
      "OPTIONS /v1/failures": "GET, HEAD",
      "PROPFIND /v1/failures": "GET, HEAD",
    };
    for (const [request, allow] of Object.entries(cases)) {
      const response = await service.call(request);
      assertEquals(response.status, 405, request);
      assertEquals(response.headers.get("Allow"), allow, request);
      assertEquals((await readProblem(response)).code, "method_not_allowed");
    }
  });

  it("answer 406 if no acceptable type is available", async () => {
    for (const accept of ["text/html", "application/json;q=0", "image/*", "text/csv;q=0, application/xml"]) {
      const response = await service.call(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`, {
        headers: { Accept: accept },
      });
      assertEquals(response.status, 406, accept);
      assertEquals((await readProblem(response)).code, "not_acceptable");
    }
  });

  it("never show internal details; the log has them, under the same request id", async () => {
    const broken = await testService();
    await broken.sql.unsafe(`
      alter table assignment.policies rename to secret_name;
      create view assignment.policies as
        select version, document, comment, created_at, (1 / (extract(year from created_at) * 0))::text as created_by
        from assignment.secret_name;
      grant select on assignment.policies to ${SERVICE_ROLE};
    `);

    const response = await broken.call("GET /v1/policy");

    assertEquals(response.status, 500);
    const problem = await readProblem(response);
    assertEquals(problem.code, "internal_error");
    for (const secret of ["secret_name", "created_by", "select", "division", ".ts"]) {
      assertEquals(JSON.stringify(problem).toLowerCase().includes(secret), false, secret);
    }
    const line = broken.logged.find(({ level }) => level === "error");
    assertEquals(line?.requestId, problem.requestId);
    assertStringIncludes(JSON.stringify(line), "division by zero");
    await broken.stop();
  });

  it("keep a valid request id, and replace any other", async () => {
    const idFor = async (id: string) => {
      const response = await service.call("GET /livez", { headers: { "X-Request-Id": id } });
      return response.headers.get("X-Request-Id") ?? "";
    };
    assertEquals(await idFor("order-17.retry=2"), "order-17.retry=2");
    for (const id of ["two words", "<script>", "x".repeat(65), "ü"]) {
      assertMatch(await idFor(id), /^[0-9a-f-]{36}$/);
    }
  });

  it("have the same security headers as all answers of their kind", async () => {
    const strict = { "X-Content-Type-Options": "nosniff" };
    const page = { "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin" };
    const data = { "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'" };
    for (
      const [request, expected] of [
        ["GET /v1/nothing", data],
        ["GET /v1/members/x/assignment", data],
        ["GET /v1/policy", data],
        ["GET /livez", page],
        ["PATCH /livez", page],
        ["GET /docs", page],
      ] as const
    ) {
      const { headers } = await service.call(request);
      for (const [name, value] of Object.entries({ ...strict, ...expected })) {
        assertEquals(headers.get(name), value, `${request}: ${name}`);
      }
      const policy = headers.get("Content-Security-Policy") ?? "";
      assertMatch(policy, /^default-src 'none'.*frame-ancestors 'none'$/, request);
      assertEquals(policy.includes("unsafe"), false);
    }
  });

  it("tell browsers to stay with https where the request came by it, and only there", async () => {
    for (const request of ["GET /livez", "GET /v1/nothing", "GET /docs"]) {
      for (
        const [forwarded, expected] of [
          [undefined, null],
          ["http", null],
          ["https", "max-age=15552000"],
          ["https, http", "max-age=15552000"],
        ] as const
      ) {
        const headers = forwarded === undefined ? {} : { "X-Forwarded-Proto": forwarded };
        const response = await service.call(request, { headers });
        assertEquals(response.headers.get("Strict-Transport-Security"), expected, `${request}: ${forwarded}`);
      }
    }
  });
});
