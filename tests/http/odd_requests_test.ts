import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { bytesOf, openRaw, type RawAnswer } from "../support/raw_http.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "./test_service.ts";

const AUTHORIZATION = `Authorization: Bearer ${TOKENS.admin}`;

describe("requests that no good client sends", () => {
  let service: TestService;
  let server: Awaited<ReturnType<typeof serveOnSocket>>;
  let cookie: string;
  beforeAll(async () => {
    service = await testService();
    await addMembers(service.sql, 3);
    server = await serveOnSocket(service.app);
    const signedIn = await service.app.request("/admin/login", {
      method: "POST",
      headers: { "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded" },
      body: `token=${TOKENS.admin}`,
    });
    cookie = `Cookie: ${signedIn.headers.get("Set-Cookie")?.split(";")[0]}\r\nSec-Fetch-Site: same-origin`;
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  /** Sends a head whose lines are given, and a body as it is. */
  async function send(
    lines: string[],
    body = "",
    options: { half?: boolean } = {},
  ): Promise<RawAnswer | null> {
    const connection = await openRaw(Number(new URL(server.url).port));
    try {
      return await connection.exchange(bytesOf(`${lines.join("\r\n")}\r\n\r\n${body}`), options);
    } finally {
      connection.close();
    }
  }

  /** The runtime says 100 Continue when the body is asked for. */
  async function breakOffOnceItIsRead(lines: string[], body: string): Promise<void> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(server.url).port) });
    const text = new TextDecoderStream();
    const answers = socket.readable.pipeThrough(text).getReader();
    await socket.write(bytesOf(`${lines.join("\r\n")}\r\nExpect: 100-continue\r\n\r\n`));
    assertMatch((await answers.read()).value ?? "", /^HTTP\/1.1 100 /);
    const answered = service.logged.length;
    await socket.write(bytesOf(body));
    await socket.closeWrite();
    while (service.logged.length === answered) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.close();
  }

  const get = (path: string, ...headers: string[]) => send([`GET ${path} HTTP/1.1`, ...headers]);
  const postForm = (path: string, body: string) =>
    send([
      `POST ${path} HTTP/1.1`,
      "Host: localhost",
      cookie,
      "Content-Type: application/x-www-form-urlencoded",
      `Content-Length: ${body.length}`,
    ], body);
  const textOf = (answer: RawAnswer | null) => new TextDecoder().decode(answer?.body);

  it("are refused with 400 when Host is invalid", async () => {
    for (
      const host of [
        "a b",
        "[::",
        "a:99999",
        "%00",
        "<",
        "user@x",
        "x/../y",
        "x?y",
        "x#y",
        "1.2.3.4.5",
        "\xff",
      ]
    ) {
      for (
        const [path, caller] of [
          ["/livez", "X-Nobody: 1"],
          [`/v1/trainers/${DEFAULT_TRAINER_ID}/clients?limit=1`, AUTHORIZATION],
          ["/v1/policy", cookie],
          [`/v1/members/${DEFAULT_TRAINER_ID}/assignment`, AUTHORIZATION],
          ["/admin/trainer-assignment", cookie],
        ] as const
      ) {
        const answer = await get(path, `Host: ${host}`, caller);
        assertEquals(answer?.status, 400, `${path} of ${host}`);
        assertEquals(JSON.parse(textOf(answer)).code, "invalid_request");
      }
    }
  });

  it("are served under every name and address that a host can have", async () => {
    for (
      const host of [
        "localhost",
        "trainer_assignment:8000",
        "a.b-c.example",
        "127.0.0.1:1",
        "[::1]:8000",
        "X:",
      ]
    ) {
      assertEquals((await get("/v1/policy", `Host: ${host}`, AUTHORIZATION))?.status, 200, host);
    }
    assertEquals((await get("/livez"))?.status, 200);
  });

  it("count as the caller's fault when their body breaks off", async () => {
    const before = service.logged.length;
    const json = [
      "PUT /v1/policy HTTP/1.1",
      "Host: localhost",
      AUTHORIZATION,
      "Content-Type: application/json",
    ];
    const form = ["POST /admin/login HTTP/1.1", "Host: localhost", "Sec-Fetch-Site: same-origin"];
    const multipart = "Content-Type: multipart/form-data; boundary=x";
    const urlencoded = "Content-Type: application/x-www-form-urlencoded";
    await send([...json, "Content-Length: 500"], "{", { half: true });
    await send([...json, "Transfer-Encoding: chunked"], "5\r\n{", { half: true });
    await send([...json, "Transfer-Encoding: chunked"], "1\r\n{\r\nnonsense\r\n", { half: true });
    await send([...form, urlencoded, "Content-Length: 500"], "token=", { half: true });
    await send([...form, urlencoded, "Transfer-Encoding: chunked"], "9\r\ntoken", { half: true });
    for (const body of ["--y\r\nno head", "", "--x--"]) {
      const answer = await send([...form, multipart, `Content-Length: ${body.length}`], body);
      assert([400, 401].includes(answer?.status ?? 0), body);
    }
    const noBoundary = await send([...form, "Content-Type: multipart/form-data", "Content-Length: 2"], "--");
    assertEquals(noBoundary?.status, 400);
    await breakOffOnceItIsRead([...json, "Transfer-Encoding: chunked"], "nonsense\r\n");
    await breakOffOnceItIsRead([...json, "Content-Length: 500"], "{");
    for (const lines of [json, [...form, urlencoded]]) {
      await breakOffOnceItIsRead([...lines, "Transfer-Encoding: chunked"], "5\r\n{");
      await breakOffOnceItIsRead([...lines, "Transfer-Encoding: chunked"], "5");
      await breakOffOnceItIsRead([...lines, "Transfer-Encoding: chunked"], "1\r\n{\r\n");
    }
    const lines = service.logged.slice(before);
    assertEquals(lines.filter(({ level, status }) => level === "error" || status === 500), []);
  });

  it("find no page for an invalid id of the right length", async () => {
    const dashes = "-".repeat(36);
    for (
      const path of [
        `runs/${dashes}`,
        `runs/${dashes}/errors.csv`,
        `trainers/${dashes}`,
        `trainers/${dashes}/clients.csv`,
        "runs/0123456789abcdef0123456789abcdef0123",
      ]
    ) {
      const answer = await get(`/admin/trainer-assignment/${path}`, "Host: localhost", cookie);
      assertEquals(answer?.status, 404, path);
    }
    assertEquals((await postForm(`/admin/trainer-assignment/runs/${dashes}/pause`, ""))?.status, 404);
    assertEquals((await postForm(`/admin/trainer-assignment/members/${dashes}/assign`, ""))?.status, 404);
  });

  it("are told on the page that notes cannot be stored", async () => {
    const path = `/admin/trainer-assignment/members/${crypto.randomUUID()}/assign`;
    for (const notes of ["x".repeat(10_001), "a%00b"]) {
      const answer = await postForm(path, `trainerId=${DEFAULT_TRAINER_ID}&notes=${notes}`);
      assertEquals(answer?.status, 422);
      assertMatch(new TextDecoder().decode(answer?.body), /Notes must have at most 10,000 characters/);
    }
  });

  it("get at most a hundred errors listed", async () => {
    const json = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, 1]));
    const response = await service.call("POST /v1/backfills", { json });
    const { errors, detail } = await response.json();
    assertEquals([response.status, errors.length], [400, 100]);
    assertEquals(detail, "The request has 10000 errors. The first 100 are in errors.");
  });

  it("cannot make a long log line or a name of a metric with a method of their own", async () => {
    const answer = await send([`${"F".repeat(30_000)} /livez HTTP/1.1`, "Host: localhost"]);
    assertEquals([answer?.status, answer?.headers.get("allow")], [405, "GET, HEAD"]);
    assert((answer?.body.length ?? 0) < 1000);
    assertEquals(service.logged.at(-1)?.method, "other");
  });
});
