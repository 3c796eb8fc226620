import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { cancelRun, startBackfill } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd } from "../support/backfills.ts";
import { bytesOf, openRaw, type RawConnection } from "../support/raw_http.ts";
import { waitUntil } from "../support/wait_until.ts";
import {
  addMembers,
  requestInit,
  serveOnSocket,
  type TestService,
  testService,
  TOKENS,
} from "./test_service.ts";

const LIMIT_MS = 1_000;
const CLIENTS = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients`;

describe("a request that takes too long", () => {
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  let members: string[];
  beforeAll(async () => {
    service = await testService({ requestTimeoutMs: LIMIT_MS });
    members = await addMembers(service.sql, 100);
    server = await serveOnSocket(service.app);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  /** Does something while nobody can read a table, by default that of assignments. */
  async function whileLocked(
    work: () => Promise<void>,
    table = "public.trainer_client_assignments",
  ): Promise<void> {
    const { promise: locked, resolve: isLocked } = Promise.withResolvers<void>();
    const { promise: done, resolve: unlock } = Promise.withResolvers<void>();
    const locker = service.database.newConnection();
    const lock = locker.begin(async (transaction) => {
      await transaction.unsafe(`lock table ${table}`);
      isLocked();
      await done;
    });
    await locked;
    try {
      await work();
    } finally {
      unlock();
      await lock;
      await locker.end();
    }
  }

  async function passTheLimit(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LIMIT_MS * 1.5));
  }

  /** Begins a request whose body of 1,000 bytes will not come whole. */
  async function beginBody(): Promise<RawConnection> {
    const connection = await openRaw(Number(new URL(server.url).port));
    const head = [
      "POST /v1/assignments/check HTTP/1.1",
      "Host: localhost",
      `Authorization: Bearer ${TOKENS.service}`,
      "Content-Type: application/json",
      "Content-Length: 1000",
    ];
    await connection.send(bytesOf(`${head.join("\r\n")}\r\n\r\n{`));
    return connection;
  }

  it("is answered with 504 when its body does not arrive, and its connection is closed", async () => {
    const connection = await beginBody();
    const answer = await connection.exchange(new Uint8Array());
    assertEquals(answer?.status, 504);
    const problem = JSON.parse(new TextDecoder().decode(answer?.body));
    assertEquals(problem.code, "request_timeout");
    assertEquals(answer?.headers.get("connection"), "close");
    connection.close();
  });

  it("is answered with 504 when its body arrives byte by byte", async () => {
    const connection = await beginBody();
    let hasAnswer = false;
    const answered = connection.exchange(new Uint8Array()).finally(() => hasAnswer = true);
    while (!hasAnswer) {
      await connection.send(bytesOf(" ")).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals((await answered)?.status, 504);
    connection.close();
  });

  it("is answered with 504 when the database takes long, and told that a change may be done", async () => {
    await whileLocked(async () => {
      const list = await service.call(`GET ${CLIENTS}`);
      assertEquals([list.status, (await list.json()).code], [504, "request_timeout"]);
      const assign = await service.call(`PUT ${CLIENTS}/${members[0]}`);
      assertEquals(assign.status, 504);
      assertStringIncludes((await assign.json()).detail, "may still have been made");
    });
    assertEquals((await service.call(`GET ${CLIENTS}`)).status, 200);
  });

  it("is answered with a page on the admin page", async () => {
    const headers = { "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded" };
    const signedIn = await service.app.request("/admin/login", {
      method: "POST",
      headers,
      body: `token=${TOKENS.admin}`,
    });
    const cookie = signedIn.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    await whileLocked(async () => {
      const path = `/admin/trainer-assignment/trainers/${DEFAULT_TRAINER_ID}`;
      const response = await service.app.request(path, { headers: { cookie } });
      assertEquals(response.status, 504);
      assertStringIncludes(await response.text(), "The request took too long");
    });
  });

  it("also ends when it is a check, on the fast path and among many others", async () => {
    const check = (id: string) => service.call(`GET /v1/members/${id}/assignment`);
    assertEquals((await check(members[0] ?? "")).status, 200); // from here on past the router
    await whileLocked(async () => {
      const answers = await Promise.all(members.map(check));
      const statuses = new Set(answers.map(({ status }) => status));
      assert([...statuses].every((status) => status === 503 || status === 504), [...statuses].join());
    });
    await waitUntil("checks are answered again", async () => (await check(members[0] ?? "")).status === 200);
  });

  it("is not an export, however late its first row and however slow its reader", async () => {
    let download: Promise<Response> | undefined;
    await whileLocked(async () => {
      download = fetch(
        server.url + CLIENTS,
        requestInit("GET", { as: "service", headers: { Accept: "text/csv" } }),
      );
      await passTheLimit();
    });
    const response = await download;
    assertEquals(response?.status, 200);
    await passTheLimit();
    assertEquals((await response?.text())?.trim().split("\r\n").length, 1 + members.length);
  });

  it("takes no place of a stream or an export when it comes to its work too late", async () => {
    const run = await startBackfill(service.sql, { requestedBy: "test" });
    for (
      const [path, accept, places] of [
        [`/v1/backfills/${run.id}/events`, "text/event-stream", 100],
        [`/v1/backfills/${run.id}/errors`, "text/csv", 8],
      ] as const
    ) {
      const ask = () => service.call(`GET ${path}`, { headers: { Accept: accept } });
      await whileLocked(async () => {
        const late = await Promise.all(Array.from({ length: places }, ask));
        assertEquals([...new Set(late.map(({ status }) => status))], [504]);
      }, "assignment.backfill_runs");
      for (let round = 0; round < 3; round++) await service.call("GET /v1/backfills"); // after the late work
      const response = await ask();
      assertEquals(response.status, 200, path);
      await response.body?.cancel();
    }
    await cancelRun(service.sql, run.id, "test");
  });

  it("is not a stream of messages that waits for its first ones, and holds its place", async () => {
    const ask = () => service.call("GET /v1/events", { headers: { Accept: "text/event-stream" } });
    let waiting: Promise<Response>[] = [];
    await whileLocked(async () => {
      waiting = Array.from({ length: 100 }, ask);
      await passTheLimit();
      assertEquals((await (await ask()).json()).code, "too_many_streams");
    }, "assignment.outbox");
    for (const response of await Promise.all(waiting)) {
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
    const response = await ask();
    assertEquals(response.status, 200);
    await response.body?.cancel();
  });

  it("is not a stream of events, however long the run", async () => {
    const run = await startBackfill(service.sql, { requestedBy: "test" });
    const response = await fetch(
      `${server.url}/v1/backfills/${run.id}/events`,
      requestInit("GET", { headers: { Accept: "text/event-stream" } }),
    );
    assertEquals(response.status, 200);
    await passTheLimit();
    await driveToEnd(service.sql, run);
    assertStringIncludes(await response.text(), "event: finished");
  });
});
