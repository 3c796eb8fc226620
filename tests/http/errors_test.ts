import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { SERVICE_ROLE } from "../support/databases.ts";
import { serveOnSocket, type TestService, testService, TOKENS } from "./test_service.ts";

const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

describe("errors", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const problemOf = async (response: Response) => {
    assertEquals(response.headers.get("Content-Type"), "application/problem+json");
    const problem = await response.json();
    assertEquals(problem.status, response.status);
    assertEquals(problem.requestId, response.headers.get("X-Request-Id"));
    assertEquals(problem.type, `urn:problem-type:trainer-assignment:${problem.code}`);
    for (const member of ["title", "detail"]) assertNotEquals(problem[member] ?? "", "");
    return problem;
  };

  const pointersOf = async (request: string, json?: unknown) => {
    const response = await service.call(request, {
      headers: { "If-Match": "*" },
      ...(json === undefined ? {} : { json }),
    });
    assertEquals(response.status, 400, request);
    const problem = await problemOf(response);
    assertEquals(problem.code, "invalid_request");
    return problem.errors.map(({ pointer }: { pointer: string }) => pointer);
  };

  it("point at a malformed id in the path, in the query and in the body", async () => {
    assertEquals(await pointersOf("GET /v1/members/42/assignment"), ["/path/memberId"]);
    assertEquals(await pointersOf("GET /v1/members/%E0%A4%A/assignment"), ["/path/memberId"]);
    assertEquals(await pointersOf(`GET /v1/members/${SOME_ID}x/assignment`), ["/path/memberId"]);
    assertEquals(await pointersOf(`GET /v1/members/${SOME_ID}/assignment?trainerId=`), ["/query/trainerId"]);
    assertEquals(await pointersOf("PUT /v1/policy", { defaultTrainerId: "me" }), [
      "/body/defaultTrainerId",
    ]);
    assertEquals(await pointersOf("POST /v1/assignments/check", { memberIds: [SOME_ID, "x", SOME_ID, 4] }), [
      "/body/memberIds/1",
      "/body/memberIds/3",
    ]);
  });

  it("point at each unknown key", async () => {
    const json = { trainerId: SOME_ID, dryrun: true, "a/b~c": 1 };
    assertEquals(await pointersOf("POST /v1/backfills", json), ["/body/dryrun", "/body/a~1b~0c"]);
    assertEquals(await pointersOf("GET /v1/failures?limt=5&coursor=x"), ["/query/limt", "/query/coursor"]);
    assertEquals(await pointersOf("GET /v1/policy?verbose=1"), ["/query/verbose"]);
  });

  it("point at an unknown key that is called __proto__", async () => {
    const response = await service.app.request("/v1/backfills", {
      method: "POST",
      headers: { Authorization: `Bearer ${TOKENS.admin}`, "Content-Type": "application/json" },
      body: '{"__proto__": {"dryRun": true}}',
    });
    assertEquals(response.status, 400);
    assertEquals((await problemOf(response)).errors[0].pointer, "/body/__proto__");
  });

  it("refuse a repeated query parameter", async () => {
    assertEquals(await pointersOf("GET /v1/failures?limit=1&limit=2"), ["/query/limit"]);
  });

  it("refuse limits that are not a number from 1 to 1000", async () => {
    for (const limit of ["0", "1001", "-1", "1.5", "1e2", "0x10", "", "%20", "ten", "99999999999999999999"]) {
      assertEquals(await pointersOf(`GET /v1/failures?limit=${limit}`), ["/query/limit"], `limit=${limit}`);
    }
  });

  it("refuse bodies of the wrong shape", async () => {
    assertEquals(await pointersOf("POST /v1/backfills", []), ["/body"]);
    assertEquals(await pointersOf("POST /v1/backfills", null), ["/body"]);
    assertEquals(await pointersOf("POST /v1/backfills", { batchRows: 0 }), ["/body/batchRows"]);
    assertEquals(await pointersOf("POST /v1/backfills", { batchRows: 20_001, dryRun: "yes" }), [
      "/body/dryRun",
      "/body/batchRows",
    ]);
    assertEquals(await pointersOf("PUT /v1/policy", {}), ["/body/defaultTrainerId"]);
    assertEquals(await pointersOf("POST /v1/assignments/check", { memberIds: [] }), ["/body/memberIds"]);
    const tooMany = Array.from({ length: 1001 }, () => SOME_ID);
    assertEquals(await pointersOf("POST /v1/assignments/check", { memberIds: tooMany }), ["/body/memberIds"]);
  });

  it("refuse notes that the database cannot store", async () => {
    const path = `PUT /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${SOME_ID}`;
    assertEquals(await pointersOf(path, { notes: "a\0b" }), ["/body/notes"]);
    assertEquals(await pointersOf(path, { notes: "half \ud83d a pair" }), ["/body/notes"]);
    assertEquals(await pointersOf(path, { notes: "x".repeat(10_001) }), ["/body/notes"]);
  });

  const send = async (
    contentType: string | undefined,
    body: BodyInit | null,
    path = "/v1/policy",
    method = "PUT",
  ) =>
    await service.app.request(path, {
      method,
      headers: {
        Authorization: `Bearer ${TOKENS.admin}`,
        "If-Match": "*",
        ...(contentType ? { "Content-Type": contentType } : {}),
      },
      body,
    });

  it("refuse a body that is not JSON", async () => {
    for (const body of ["{", "", "{'a': 1}", "nonsense"]) {
      const response = await send("application/json", body);
      assertEquals(response.status, 400, body);
      assertEquals((await problemOf(response)).errors[0].pointer, "/body");
    }
  });

  it("refuse a body with another content type than JSON", async () => {
    const body = JSON.stringify({ defaultTrainerId: DEFAULT_TRAINER_ID });
    for (
      const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "multipart/form-data",
        "x",
      ]
    ) {
      const response = await send(type, body);
      assertEquals(response.status, 415, type);
      assertEquals((await problemOf(response)).code, "unsupported_media_type");
    }
    const unnamed = await send(undefined, new TextEncoder().encode(body));
    assertEquals(unnamed.status, 415);
    await unnamed.body?.cancel();
    const unnamedWhereOptional = await send("text/plain", "{}", "/v1/backfills", "POST");
    assertEquals(unnamedWhereOptional.status, 415);
    await unnamedWhereOptional.body?.cancel();
  });

  it("accept JSON with a character set", async () => {
    const body = JSON.stringify({ defaultTrainerId: DEFAULT_TRAINER_ID });
    const response = await send("Application/JSON; charset=utf-8", body);
    assertEquals(response.status, 200);
  });

  it("refuse a body of more than 256 KiB, with or without Content-Length", async () => {
    const { url, stop } = await serveOnSocket(service.app);
    const exact = `{"defaultTrainerId":"${DEFAULT_TRAINER_ID}"}`.padEnd(256 * 1024);
    const put = (body: BodyInit) =>
      fetch(`${url}/v1/policy`, {
        method: "PUT",
        headers: {
          Authorization: `Bearer ${TOKENS.admin}`,
          "Content-Type": "application/json",
          "If-Match": "*",
        },
        body,
      });
    const streamed = (text: string) => new Blob([text]).stream();

    const fits = [await put(exact), await put(streamed(exact))];
    const refused = [
      await put(exact + " "),
      await put(streamed(exact + " ")),
      await put("x".repeat(5_000_000)),
    ];

    for (const response of fits) {
      assertEquals((await response.json()).policy.defaultTrainerId, DEFAULT_TRAINER_ID);
    }
    for (const response of refused) {
      assertEquals(response.status, 413);
      assertEquals((await problemOf(response)).code, "body_too_large");
    }
    await stop();
  });

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
      assertEquals((await problemOf(response)).code, "not_found");
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
      assertEquals((await problemOf(response)).code, "method_not_allowed");
    }
  });

  it("answer 406 if no acceptable type is available", async () => {
    for (const accept of ["text/html", "application/json;q=0", "image/*", "text/csv;q=0, application/xml"]) {
      const response = await service.call(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`, {
        headers: { Accept: accept },
      });
      assertEquals(response.status, 406, accept);
      assertEquals((await problemOf(response)).code, "not_acceptable");
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
    const problem = await problemOf(response);
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
