/** What is wrong with a request's path, query or body, and how the error points at it. */
import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { readProblem } from "./problem.ts";
import { serveOnSocket, type TestService, testService, TOKENS } from "./test_service.ts";

const SOME_ID = "0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a";

describe("errors", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const pointersOf = async (request: string, json?: unknown) => {
    const response = await service.call(request, {
      headers: { "If-Match": "*" },
      ...(json === undefined ? {} : { json }),
    });
    assertEquals(response.status, 400, request);
    const problem = await readProblem(response);
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
    assertEquals((await readProblem(response)).errors[0].pointer, "/body/__proto__");
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
      assertEquals((await readProblem(response)).errors[0].pointer, "/body");
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
      assertEquals((await readProblem(response)).code, "unsupported_media_type");
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
      assertEquals((await readProblem(response)).code, "body_too_large");
    }
    await stop();
  });
});
