import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ApiError, createClient } from "../../src/client.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "./test_service.ts";

describe("the client", () => {
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

  const clientWith = (given: typeof fetch = fetch, token: string = TOKENS.admin) =>
    createClient({ baseUrl: server.url, token, fetch: given });

  /** Fails the first requests in the way given, then lets them through; counts them. */
  function failing(times: number, failure: () => Response | Promise<never>) {
    let asked = 0;
    const given: typeof fetch = (input, init) => {
      asked += 1;
      return asked <= times ? Promise.resolve(failure()) : fetch(input, init);
    };
    return { fetch: given, asked: () => asked };
  }
  const unavailable = () => new Response("<html>", { status: 503 });
  const cut = () => Promise.reject(new TypeError("connection reset"));

  it("checks, assigns, ends and lists", async () => {
    const client = clientWith();
    const [member = "", other = ""] = await addMembers(service.sql, 2);
    const found = await client.getAssignment(member);
    assertEquals([found.assigned, found.trainerId, found.assignment?.source], [
      true,
      DEFAULT_TRAINER_ID,
      "trigger",
    ]);
    assert(found.assignment?.assignmentDate instanceof Date);

    await client.assign(other, member, "by hand");
    assertEquals((await client.checkAssignments([member, other], other)).results, [
      { memberId: member, assigned: true },
      { memberId: other, assigned: false },
    ]);
    await client.end(other, member);
    assertEquals((await client.getAssignment(member, other)).assigned, false);
  });

  it("lists more clients than a page holds, each once", async () => {
    const own = await testService();
    const ownServer = await serveOnSocket(own.app);
    const ids = await addMembers(own.sql, 2500);
    const client = createClient({ baseUrl: ownServer.url, token: TOKENS.service });
    const listed = (await Array.fromAsync(client.listClients(DEFAULT_TRAINER_ID))).map(({ clientId }) =>
      clientId
    );
    await ownServer.stop();
    await own.stop();
    assertEquals(listed.toSorted(), ids);
  });

  it("starts a backfill and follows it", async () => {
    const client = clientWith();
    const run = await client.startBackfill({ dryRun: true });
    assertEquals((await client.getBackfill(run.id)).id, run.id);
    const error = await assertRejects(() => client.startBackfill(), ApiError);
    assertEquals([error.status, error.code], [409, "backfill_active"]);
  });

  it("tells of a refusal by its code and request id, at once", async () => {
    const error = await assertRejects(() => clientWith().getAssignment(crypto.randomUUID()), ApiError);
    assertEquals([error.status, error.code], [404, "member_not_found"]);
    assert(error.requestId);
    const refused = await assertRejects(
      () => clientWith(fetch, "wrong").getAssignment(DEFAULT_TRAINER_ID),
      ApiError,
    );
    assertEquals(refused.code, "unauthorized");
  });

  it("repeats what is idempotent while the service or the way to it fails", async () => {
    for (const failure of [unavailable, cut]) {
      const [member = "", trainer = ""] = await addMembers(service.sql, 2);
      for (
        const call of [
          (client: ReturnType<typeof clientWith>) => client.getAssignment(member),
          (client: ReturnType<typeof clientWith>) => client.checkAssignments([member]),
          (client: ReturnType<typeof clientWith>) => client.assign(trainer, member),
        ]
      ) {
        const flaky = failing(2, failure);
        await call(clientWith(flaky.fetch));
        assertEquals(flaky.asked(), 3);
      }
    }
  });

  it("gives up after four tries", async () => {
    const away = failing(Infinity, unavailable);
    const error = await assertRejects(
      () => clientWith(away.fetch).getAssignment(DEFAULT_TRAINER_ID),
      ApiError,
    );
    assertEquals([error.status, error.code, away.asked()], [503, "unknown", 4]);
  });

  it("never repeats what is not idempotent", async () => {
    const away = failing(1, cut);
    await assertRejects(() => clientWith(away.fetch).startBackfill(), TypeError);
    const ending = failing(1, cut);
    await assertRejects(
      () => clientWith(ending.fetch).end(DEFAULT_TRAINER_ID, DEFAULT_TRAINER_ID),
      TypeError,
    );
    assertEquals([away.asked(), ending.asked()], [1, 1]);
  });
});
