import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type CallOptions, type TestService, testService } from "./test_service.ts";

const OURS = "https://app.example";
const ANOTHER = "https://evil.example";

/** What an answer says about CORS, and what it depends on. */
function corsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"),
  );
}

describe("pages of other origins", () => {
  let service: TestService;
  let memberId: string;
  beforeAll(async () => {
    service = await testService({ corsOrigins: [OURS, "http://localhost:5173"] });
    [memberId = ""] = await addMembers(service.sql, 1);
  });
  afterAll(() => service.stop());

  async function call(request: string, origin?: string, options: CallOptions = {}): Promise<Response> {
    const headers = { ...options.headers, ...(origin === undefined ? {} : { Origin: origin }) };
    const response = await service.call(request, { ...options, headers });
    await response.body?.cancel();
    return response;
  }

  it("may send a preflight without a token if their origin is listed", async () => {
    const headers = {
      "Access-Control-Request-Method": "PUT",
      "Access-Control-Request-Headers": "authorization,content-type",
    };
    const response = await call("OPTIONS /v1/policy", OURS, { as: "nobody", headers });
    assertEquals(response.status, 204);
    assertEquals(corsOf(response), {
      "access-control-allow-headers":
        "Authorization,Content-Type,If-Match,If-None-Match,Last-Event-ID,X-Request-Id,traceparent",
      "access-control-allow-methods": "GET,HEAD,POST,PUT,PATCH,DELETE",
      "access-control-allow-origin": OURS,
      "access-control-expose-headers":
        "Content-Disposition,ETag,Link,Location,RateLimit,RateLimit-Policy,Retry-After,WWW-Authenticate,X-Request-Id",
      "access-control-max-age": "600",
      "vary": "Origin, Access-Control-Request-Headers",
    });
    const refused = await call("OPTIONS /v1/policy", ANOTHER, { as: "nobody", headers });
    assertEquals(refused.headers.get("access-control-allow-origin"), null);
  });

  it("may read answers and errors when their origin is listed, and never with a cookie", async () => {
    for (const [as, status] of [["admin", 200], ["service", 403], ["nobody", 401]] as const) {
      for (const origin of [OURS, "http://localhost:5173", ANOTHER, "null", undefined]) {
        const response = await call("GET /v1/policy", origin, { as });
        assertEquals(response.status, status);
        const allowed = origin === OURS || origin === "http://localhost:5173" ? origin : null;
        assertEquals(response.headers.get("access-control-allow-origin"), allowed, `${as} ${origin}`);
        assertEquals(response.headers.get("access-control-allow-credentials"), null);
        assertEquals(response.headers.get("vary"), "Origin");
      }
    }
  });

  it("read downloads, missing pages and the description as well", async () => {
    const paths = [`/v1/trainers/${DEFAULT_TRAINER_ID}/clients`, "/v1/nothing", "/openapi.json"];
    for (const path of paths) {
      const response = await call(`GET ${path}`, OURS, { headers: { Accept: "text/csv, */*" } });
      assertEquals(response.headers.get("access-control-allow-origin"), OURS, path);
    }
  });

  it("never get another origin's headers from the fast path of a check", async () => {
    const path = `GET /v1/members/${memberId}/assignment`;
    const allowed = [];
    for (const origin of [OURS, undefined, undefined, ANOTHER, OURS, undefined]) {
      const response = await call(path, origin);
      assertEquals(response.status, 200);
      allowed.push(response.headers.get("access-control-allow-origin"));
    }
    assertEquals(allowed, [OURS, null, null, null, OURS, null]);
  });

  it("cannot use the admin page", async () => {
    const response = await call("GET /admin/login", OURS);
    assertEquals(corsOf(response)["access-control-allow-origin"], undefined);
  });

  it("get no CORS header if none is listed, and a preflight is an ordinary OPTIONS request", async () => {
    const closed = await testService();
    const origin = { Origin: OURS };
    const answer = await closed.call("GET /v1/policy", { headers: origin });
    assertEquals([answer.status, corsOf(answer)], [200, {}]);
    const preflight = await closed.call("OPTIONS /v1/policy", {
      headers: { ...origin, "Access-Control-Request-Method": "GET" },
    });
    assertEquals([preflight.status, corsOf(preflight)], [405, {}]);
    await closed.stop();
  });
});
