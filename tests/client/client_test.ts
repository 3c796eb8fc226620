import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { ApiError, createClient, pages } from "trainer-assignment-client";
import { getRun } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, serveOnSocket, type TestService, testService, TOKENS } from "../http/test_service.ts";
import { driveToEnd } from "../support/backfills.ts";
import { acceptAssignments, addUnseenMembers, refuseAssignments } from "../support/members.ts";

describe("the client", () => {
  let service: TestService;
  let server: { url: string; stop(): Promise<void> };
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    service = await testService();
    server = await serveOnSocket(service.app);
    client = createClient({ baseUrl: server.url, token: TOKENS.admin });
  });
  afterAll(async () => {
    await server.stop();
    await service.stop();
  });

  it("checks, assigns and ends", async () => {
    const [memberId = "", trainerId = ""] = await addMembers(service.sql, 2);
    const found = await client.getMemberAssignment({ memberId });
    assertEquals([found.assigned, found.trainerId, found.assignment?.source], [
      true,
      DEFAULT_TRAINER_ID,
      "trigger",
    ]);
    const { assignment } = await client.assignClient({ trainerId, memberId, notes: "by hand" });
    assertEquals(assignment?.notes, "by hand");
    const { results } = await client.checkAssignments({ memberIds: [memberId, trainerId], trainerId });
    assertEquals(results, [{ memberId, assigned: true }, { memberId: trainerId, assigned: false }]);
    assertEquals(await client.endAssignment({ trainerId, memberId }), null);
    assertEquals((await client.getMemberAssignment({ memberId, trainerId })).assigned, false);
    const [{ clients } = { clients: [] }] = await Array.fromAsync(
      pages(client.listTrainerClients, { trainerId, status: "inactive", limit: 1 }),
    );
    assertEquals(clients.map(({ clientId }) => clientId), [memberId]);
  });

  it("reads a list page by page, row by row and as CSV: the same members, each once", async () => {
    const [trainerId = "", ...members] = await addMembers(service.sql, 26);
    for (const memberId of members) await client.assignClient({ trainerId, memberId });
    const inPages = await Array.fromAsync(pages(client.listTrainerClients, { trainerId, limit: 10 }));
    assertEquals(inPages.map(({ clients }) => clients.length), [10, 10, 5]);
    const rows = await Array.fromAsync(client.readRows("listTrainerClients", { trainerId }));
    const csv = await new Response(await client.openCsv("listTrainerClients", { trainerId })).text();
    for (
      const ids of [
        inPages.flatMap(({ clients }) => clients).map(({ clientId }) => clientId),
        rows.map(({ clientId }) => clientId),
        csv.trim().split("\r\n").slice(1).map((line) => line.split(",")[0]),
      ]
    ) assertEquals(ids, members);
  });

  it("reads a download only as far as its reader", async () => {
    const own = await testService();
    const ownServer = await serveOnSocket(own.app);
    const ids = await addMembers(own.sql, 5000);
    const rows = createClient({ baseUrl: ownServer.url, token: TOKENS.service })
      .readRows("listTrainerClients", { trainerId: DEFAULT_TRAINER_ID });
    const first = await rows.next();
    assert(first.value !== undefined && ids.includes(first.value.clientId));
    await rows.return(undefined);
    assertEquals(await rows.next(), { done: true, value: undefined });
    await ownServer.stop();
    await own.stop();
  });

  it("steers a run and lists its errors", async () => {
    const { id } = await client.startBackfill({ dryRun: true });
    assertEquals((await client.pauseBackfill({ id })).status, "paused");
    assertEquals((await client.resumeBackfill({ id })).status, "running");
    assertEquals((await client.cancelBackfill({ id })).status, "cancelled");

    await addUnseenMembers(service.sql, 3);
    await refuseAssignments(service.sql, "true");
    const started = await client.startBackfill();
    await driveToEnd(service.sql, await getRun(service.sql, started.id));
    await acceptAssignments(service.sql);
    const ended = await client.getBackfill({ id: started.id });
    assertEquals([ended.status, ended.failed], ["completed_with_errors", 3]);
    const errors = await Array.fromAsync(client.readRows("listBackfillErrors", { id: started.id }));
    assertEquals(errors, (await client.listBackfillErrors({ id: started.id })).errors);
    assertEquals(errors.length, 3);

    const retried = await client.retryBackfill({ id: started.id });
    assertEquals(retried.retryOf, started.id);
    await driveToEnd(service.sql, await getRun(service.sql, retried.id));
    const runs = (await Array.fromAsync(pages(client.listBackfills, { limit: 2 }))).flatMap(({ runs }) =>
      runs
    );
    assertEquals(runs.map((run) => run.id), [retried.id, started.id, id]);
  });

  it("follows a run to its end, past a server that goes away, and sees no state twice", async () => {
    const first = await serveOnSocket(service.app);
    let url = first.url;
    const redirected: typeof fetch = (input, init) => fetch(String(input).replace(first.url, url), init);
    const follower = createClient({ baseUrl: first.url, token: TOKENS.admin, fetch: redirected });
    const { id } = await client.startBackfill({ dryRun: true });
    const states = follower.followBackfill({ id });
    assertEquals((await states.next()).value?.status, "running");
    url = server.url;
    await first.stop();
    const next = states.next();
    await client.pauseBackfill({ id });
    assertEquals((await next).value?.status, "paused");
    await client.cancelBackfill({ id });
    assertEquals((await Array.fromAsync(states)).map(({ status }) => status), ["cancelled"]);
  });

  it("reads and changes the policy by its version, with a comment", async () => {
    const { version, policy } = await client.getPolicy();
    assertEquals(policy, { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules: [] });
    const change = { ifMatch: version, comment: "one & only", ...policy, respectsOtherTrainers: true };
    const written = await client.putPolicy(change);
    assertEquals([written.version, written.comment, written.warnings], [version + 1, "one & only", []]);
    assertEquals((await client.getPolicyVersion({ version })).policy, policy);
    assertEquals((await client.listPolicyVersions({ limit: 1 })).versions[0]?.version, version + 1);
    const stale = { ...change, rules: [{ name: "None", assign: { choose: "nobody" as const } }] };
    const refused = await assertRejects(() => client.putPolicy(stale), ApiError);
    assertEquals([refused.status, refused.code], [412, "policy_changed"]);
    assertEquals((await client.putPolicy({ ...change, ifMatch: `"${version + 1}"` })).version, version + 1);
    assertEquals((await client.putPolicy(change)).version, version + 1, "repeated, as after a lost reply");
    await client.putPolicy({ ifMatch: "*", ...policy });
  });

  it("sees failures and retries them", async () => {
    await refuseAssignments(service.sql, "true");
    const [memberId] = await addMembers(service.sql, 1);
    await acceptAssignments(service.sql);
    assertEquals((await client.listFailures()).failures.map((failure) => failure.memberId), [memberId]);
    assertEquals(await client.retryFailures(), { retried: 1, succeeded: 1, failed: 0 });
  });

  it("returns the service's health, also with a 503", async () => {
    assertEquals(await client.isAlive(), { status: "alive" });
    assertEquals((await client.isReady()).status, "ready");
    assert((await client.getMetrics()).includes("http_requests_total"));
    const stopping = await testService({ stopping: AbortSignal.abort() });
    const stoppingServer = await serveOnSocket(stopping.app);
    const other = createClient({ baseUrl: stoppingServer.url, token: TOKENS.service });
    assertEquals((await other.isReady()).status, "stopping");
    await stoppingServer.stop();
    await stopping.stop();
  });

  it("throws a refusal with its code, request id and details, at once", async () => {
    const unknown = await assertRejects(
      () => client.getMemberAssignment({ memberId: crypto.randomUUID() }),
      ApiError,
    );
    assertEquals([unknown.status, unknown.code], [404, "member_not_found"]);
    assertEquals(unknown.requestId, unknown.problem?.requestId);

    const malformed = await assertRejects(() => client.getBackfill({ id: "../settings" }), ApiError);
    assertEquals([malformed.code, malformed.problem?.errors?.[0]?.pointer], ["invalid_request", "/path/id"]);

    const { id } = await client.startBackfill({ dryRun: true });
    const active = await assertRejects(() => client.startBackfill(), ApiError);
    assertEquals([active.code, active.problem?.runId], ["backfill_active", id]);

    const stranger = createClient({ baseUrl: server.url, token: "wrong" });
    assertEquals((await assertRejects(() => stranger.getPolicy(), ApiError)).code, "unauthorized");
  });

  it("finds a service below a path", async () => {
    const below: typeof fetch = (input, init) => fetch(String(input).replace("/trainers/v1", "/v1"), init);
    const proxied = createClient({ baseUrl: `${server.url}/trainers/`, token: TOKENS.admin, fetch: below });
    assertEquals((await proxied.getPolicy()).policy.defaultTrainerId, DEFAULT_TRAINER_ID);
  });
});
