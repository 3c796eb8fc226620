import { assert, assertEquals, assertGreaterOrEqual, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  ApiError,
  type ClientOptions,
  createClient,
  type TrainerAssignmentClient,
} from "trainer-assignment-client";
import { startBackfill } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "../http/test_service.ts";

describe("the client, when the service or the way to it fails", () => {
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    service = await testService();
    server = await serveOnSocket(service.app);
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  /** A client whose first requests fail in the way given; the others go through. Counts them. */
  function failing(
    times: number,
    failure: () => Response | Promise<never>,
    options: Partial<ClientOptions> = {},
  ) {
    let asked = 0;
    const client = createClient({
      baseUrl: server.url,
      token: TOKENS.admin,
      fetch(input, init) {
        asked += 1;
        return asked <= times ? Promise.resolve(failure()) : fetch(input, init);
      },
      ...options,
    });
    return { client, asked: () => asked };
  }
  const cut = () => Promise.reject(new TypeError("connection reset"));
  const unavailable = (retryAfter?: string) => () =>
    new Response("<html>", {
      status: 503,
      headers: retryAfter === undefined ? {} : { "Retry-After": retryAfter },
    });
  const truncated = () => new Response('{"defaultTrai', { headers: { "Content-Type": "application/json" } });
  const portal = () => new Response("<html>", { headers: { "Content-Type": "text/html" } });

  it("repeats idempotent requests", async () => {
    const [memberId = "", trainerId = ""] = await addMembers(service.sql, 2);
    const calls: ((client: TrainerAssignmentClient) => Promise<unknown>)[] = [
      (client) => client.getMemberAssignment({ memberId }),
      (client) => client.checkAssignments({ memberIds: [memberId] }),
      (client) => client.assignClient({ trainerId, memberId }),
    ];
    for (const failure of [unavailable(), cut, truncated]) {
      for (const call of calls) {
        const { client, asked } = failing(2, failure);
        await call(client);
        assertEquals(asked(), 3);
      }
    }
    const { client, asked } = failing(2, unavailable());
    await Array.fromAsync(client.readRows("listTrainerClients", { trainerId }));
    assertEquals(asked(), 3);
  });

  it("never repeats other requests", async () => {
    const id = DEFAULT_TRAINER_ID;
    const calls: ((client: TrainerAssignmentClient) => Promise<unknown>)[] = [
      (client) => client.startBackfill(),
      (client) => client.pauseBackfill({ id }),
      (client) => client.retryBackfill({ id }),
      (client) => client.retryFailures(),
      (client) => client.endAssignment({ trainerId: id, memberId: id }),
    ];
    for (const failure of [unavailable(), cut]) {
      for (const call of calls) {
        const { client, asked } = failing(1, failure);
        await assertRejects(() => call(client));
        assertEquals(asked(), 1);
      }
    }
  });

  it("gives up after so many tries, with the last error", async () => {
    const { client, asked } = failing(Infinity, unavailable(), { maxTries: 3 });
    const error = await assertRejects(() => client.getPolicy(), ApiError);
    assertEquals([error.status, error.code, asked()], [503, "unknown", 3]);
  });

  it("says that an answer broke off, when it does so in every try", async () => {
    const { client, asked } = failing(Infinity, truncated, { maxTries: 2 });
    await assertRejects(() => client.getPolicy(), Error, "the answer broke off");
    assertEquals(asked(), 2);
  });

  it("refuses an address or a token with which no request can be made", () => {
    const valid = { baseUrl: server.url, token: TOKENS.admin };
    const addresses = ["", "trainers.example", "/v1", "ftp://a", "http://", "http://a b", "http://a:port"];
    for (const baseUrl of [...addresses, "http://me:secret@a", "http://a?b=c", "http://a#b"]) {
      assertThrows(() => createClient({ ...valid, baseUrl }), TypeError, "baseUrl must be", baseUrl);
    }
    for (const token of ["", "ta_…", "ta_\n", "Bearer ta_x"]) {
      assertThrows(() => createClient({ ...valid, token }), TypeError, "token must have", token);
    }
    for (const baseUrl of ["https://a.example/trainers/", "HTTP://[::1]:8000", "http://a/@b"]) {
      createClient({ ...valid, baseUrl });
    }
  });

  it("throws what is wrong with a request before the first try", async () => {
    const { client, asked } = failing(Infinity, cut);
    const { policy } = await failing(0, cut).client.getPolicy();
    await assertRejects(() => client.putPolicy({ ...policy, ifMatch: '"…"' }), TypeError);
    await assertRejects(() => client.getTrainer({ trainerId: "\ud800" }), URIError);
    assertEquals(asked(), 0);
  });

  it("treats an answer that is not the service's as an error", async () => {
    const { client, asked } = failing(1, portal);
    const error = await assertRejects(() => client.getPolicy(), ApiError);
    assertEquals([error.status, error.code, asked()], [200, "unknown", 1]);
  });

  it("treats a truncated row as an error, even if the stream ended normally", async () => {
    const headers = { "Content-Type": "application/x-ndjson" };
    const { client } = failing(1, () => new Response('{"clientId":"a"}\n{"clie', { headers }));
    const rows = client.readRows("listTrainerClients", { trainerId: DEFAULT_TRAINER_ID });
    assertEquals((await rows.next()).done, false);
    await assertRejects(() => rows.next(), Error, "the download broke off");
  });

  it("follows a run past a service that is away for as many tries as a request has", async () => {
    const { client, asked } = failing(3, unavailable());
    const { id } = await startBackfill(service.sql, { requestedBy: "ops", dryRun: true });
    const states = client.followBackfill({ id });
    assertEquals((await states.next()).value?.status, "running");
    assertEquals(asked(), 4);
    await states.return(undefined);
    for (const failure of [unavailable(), cut]) {
      const { client, asked } = failing(Infinity, failure, { maxTries: 3 });
      await assertRejects(() => client.followBackfill({ id }).next());
      await assertRejects(() => client.followEvents().next());
      assertEquals(asked(), 6);
    }
    await client.cancelBackfill({ id });
  });

  it("waits for what Retry-After says", async () => {
    for (
      const call of [
        (client: TrainerAssignmentClient) => client.getPolicy(),
        (client: TrainerAssignmentClient) => client.followBackfill({ id: DEFAULT_TRAINER_ID }).next(),
      ]
    ) {
      const { client, asked } = failing(1, unavailable("1"));
      const began = performance.now();
      await call(client).catch((error) => assertEquals(error.code, "run_not_found"));
      assertEquals(asked(), 2);
      assertGreaterOrEqual(performance.now() - began, 1000);
    }
  });

  it("does not wait longer than its limit, in seconds or until a date", async () => {
    for (const told of ["31", new Date(Date.now() + 60_000).toUTCString()]) {
      for (
        const call of [
          (client: TrainerAssignmentClient) => client.getPolicy(),
          (client: TrainerAssignmentClient) => client.followBackfill({ id: DEFAULT_TRAINER_ID }).next(),
        ]
      ) {
        const { client, asked } = failing(1, unavailable(told));
        const error = await assertRejects(() => call(client), ApiError);
        assertEquals(asked(), 1);
        assertGreaterOrEqual(error.retryAfterSeconds, 31);
      }
    }
  });

  it("ends with its signal: before the request, while it waits, while it reads", async () => {
    const { client, asked } = failing(Infinity, unavailable("20"));
    const reason = new Error("no longer needed");
    const before = await assertRejects(() => client.getPolicy({}, { signal: AbortSignal.abort(reason) }));
    assertEquals([before, asked()], [reason, 1]);

    const waiting = new AbortController();
    const waited = client.getPolicy({}, { signal: waiting.signal });
    queueMicrotask(() => waiting.abort(reason));
    assertEquals(await assertRejects(() => waited), reason);

    const { id } = await failing(0, cut).client.startBackfill({ dryRun: true });
    const following = new AbortController();
    const states = failing(0, cut).client.followBackfill({ id }, { signal: following.signal });
    assertEquals((await states.next()).value?.id, id);
    const next = states.next();
    following.abort(reason);
    assertEquals(await assertRejects(() => next), reason);
  });

  it("gives each try its own time-out", async () => {
    const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { client, asked } = failing(0, cut, {
      baseUrl: `http://127.0.0.1:${silent.addr.port}`,
      timeoutMs: 50,
      maxTries: 2,
    });
    const error = await assertRejects(() => client.getPolicy(), DOMException);
    assertEquals([error.name, asked()], ["TimeoutError", 2]);
    assert(error.message.includes("50 ms"));
    const own = await assertRejects(() => client.getPolicy({}, { timeoutMs: 20 }), DOMException);
    assert(own.message.includes("20 ms"));
    const preview = await assertRejects(() => client.previewPolicy(), DOMException);
    assertEquals([preview.name, asked()], ["TimeoutError", 5]);
    silent.close();
  });

  it("repeats a preview, unless it took too long", async () => {
    const busy = { code: "database_busy", detail: "", requestId: "" };
    const late = [
      () => new Response("<html>", { status: 504 }),
      () => Response.json(busy, { status: 503, headers: { "Content-Type": "application/problem+json" } }),
    ];
    for (const failure of late) {
      const { client, asked } = failing(1, failure);
      await assertRejects(() => client.previewPolicy(), ApiError);
      assertEquals(asked(), 1);
      await failing(1, failure).client.getPolicy();
    }
    const { client, asked } = failing(1, unavailable());
    await client.previewPolicy();
    assertEquals(asked(), 2);
  });
});
