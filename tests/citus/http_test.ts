/** The API on a cluster: every read, and what assigns by hand, with the rights of the service's role alone. */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { batchChecks } from "../../src/assignments/batched_checks.ts";
import { ANY_TRAINER } from "../../src/assignments/checks.ts";
import { startBackfill } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type TestService, testService } from "../http/test_service.ts";
import { newIds } from "../support/assignments.ts";
import { driveToEnd } from "../support/backfills.ts";
import { among, putRules } from "../support/policies.ts";
import { waitUntil } from "../support/wait_until.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";

describe("the API on a cluster", () => {
  let database: CitusDatabase;
  let service: TestService;
  let members: string[];
  let member: string;
  let other: string;
  beforeAll(async () => {
    database = await citusDatabase();
    service = await testService({ sql: await database.newServicePool() }, database);
    members = await addMembers(database.sql, 30);
    [member = "", other = ""] = members;
  });
  afterAll(() => service?.stop());

  const read = async (request: string, json?: unknown) => {
    const response = await service.call(request, json === undefined ? {} : { json });
    return { status: response.status, body: await response.json() };
  };

  it("is ready, and says what it holds in metrics", async () => {
    const { status, body } = await read("GET /readyz");
    assertEquals([status, body.status], [200, "ready"]);
    await waitUntil("the metrics tell of failures", async () => {
      const metrics = await (await service.call("GET /metrics")).text();
      return /^trainer_assignment_failures_pending\S* 0$/m.test(metrics);
    });
  });

  it("checks one member, and a thousand at once", async () => {
    const { body } = await read(`GET /v1/members/${member.toUpperCase()}/assignment`);
    assertEquals([body.assigned, body.trainerId, body.assignment.source], [
      true,
      DEFAULT_TRAINER_ID,
      "trigger",
    ]);
    const [unknown = ""] = newIds(1);
    assertEquals((await read(`GET /v1/members/${unknown}/assignment`)).status, 404);
    const elsewhere = await read(`GET /v1/members/${member}/assignment?trainerId=${other}`);
    assertEquals([elsewhere.body.assigned, elsewhere.body.assignment], [false, null]);
    const any = await read(`GET /v1/members/${member}/assignment?trainerId=any`);
    assertEquals(any.body.trainerId, DEFAULT_TRAINER_ID);

    const many = await read("POST /v1/assignments/check", { memberIds: [...members, unknown] });
    assertEquals(
      many.body.results,
      [...members.map((memberId) => ({ memberId, assigned: true })), { memberId: unknown, assigned: false }],
    );
    const anyOfMany = await read("POST /v1/assignments/check", {
      memberIds: [unknown, member],
      trainerId: "any",
    });
    assertEquals(anyOfMany.body.results.map(({ assigned }: { assigned: boolean }) => assigned), [
      false,
      true,
    ]);
  });

  it("answers checks that come at once by one query, each with its own answer", async () => {
    const sizes: number[] = [];
    const check = batchChecks(database.sql, { onQuery: (size) => sizes.push(size) });
    const [unknown = ""] = newIds(1);
    const answers = await Promise.allSettled([
      ...members.map((id) => check(id)),
      check(member, other),
      check(member, ANY_TRAINER),
      check(DEFAULT_TRAINER_ID, ANY_TRAINER),
      check(unknown),
    ]);
    const assigned = answers.map((answer) => answer.status === "fulfilled" ? answer.value.assigned : null);
    assertEquals(assigned, [...members.map(() => true), false, true, false, null]);
    assert(sizes.length <= 4, `in ${sizes.length} queries`);
  });

  it("lists clients in pages and as a download, members' histories, and all that is kept of one", async () => {
    const first = await read(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients?limit=20`);
    const second = await read(
      `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients?limit=20&cursor=${first.body.next}`,
    );
    const listed = [...first.body.clients, ...second.body.clients].map(({ clientId }: { clientId: string }) =>
      clientId
    );
    assertEquals(listed.toSorted(), members);
    assertEquals(second.body.next, null);
    const csv = await service.call(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients?status=all`, {
      headers: { Accept: "text/csv" },
    });
    assertEquals((await csv.text()).trim().split("\n").length, 31);
    const history = await read(`GET /v1/members/${member}/assignments`);
    assertEquals(history.body.assignments.length, 1);
    const kept = await read(`GET /v1/members/${member}/export`);
    assertEquals(kept.status, 200);
  });

  it("assigns and ends by hand, with a line in the audit log each", async () => {
    const made = await read(`PUT /v1/trainers/${other}/clients/${member}`, { notes: "by hand" });
    assertEquals([made.status, made.body.assigned, made.body.assignment.notes], [201, true, "by hand"]);
    assertEquals((await read(`PUT /v1/trainers/${other}/clients/${member}`, {})).status, 200);
    assertEquals((await service.call(`DELETE /v1/trainers/${other}/clients/${member}`)).status, 204);
    assertEquals((await service.call(`DELETE /v1/trainers/${other}/clients/${member}`)).status, 404);
    const [unknown = ""] = newIds(1);
    assertEquals(
      (await read(`PUT /v1/trainers/${other}/clients/${unknown}`, {})).body.code,
      "member_not_found",
    );
    assertEquals(
      (await read(`PUT /v1/trainers/${unknown}/clients/${member}`, {})).body.code,
      "trainer_not_found",
    );
    const audit = await read(`GET /v1/audit?trainerId=${other}`);
    assertEquals(
      audit.body.lines.map(({ action, actor }: { action: string; actor: string }) => [action, actor]),
      [["assignment.ended", "ops"], ["assignment.made", "ops"]],
    );
  });

  it("lists trainers with their clients, and finds them", async () => {
    const { body } = await read("GET /v1/trainers");
    const counted = body.trainers.map(({ trainerId, clients }: { trainerId: string; clients: number }) => [
      trainerId,
      clients,
    ]);
    assertEquals(counted.toSorted(), [[DEFAULT_TRAINER_ID, 30], [other, 0]].toSorted());
    assertEquals((await read(`GET /v1/trainers/${DEFAULT_TRAINER_ID}`)).body.clients, 30);
    const found = await read(`GET /v1/members?search=${member.slice(0, 13)}`);
    assertEquals(found.body.members?.length, 1, JSON.stringify(service.logged.at(-2)));
    const changed = await read(`PATCH /v1/trainers/${other}`, { acceptsClients: false, note: "on leave" });
    assertEquals([changed.status, changed.body.acceptsClients, changed.body.note], [200, false, "on leave"]);
  });

  it("limits a trainer's clients", async () => {
    const limited = await read(`PATCH /v1/trainers/${other}`, { capacity: 1, acceptsClients: true });
    assertEquals([limited.status, limited.body.capacity, limited.body.room], [200, 1, 1]);
    const [first, second] = members.filter((id) => id !== other);
    assertEquals((await read(`PUT /v1/trainers/${other}/clients/${first}`, {})).status, 201);
    const refused = await read(`PUT /v1/trainers/${other}/clients/${second}`, {});
    assertEquals([refused.status, refused.body.code], [409, "no_room"]);
    assertEquals((await read(`GET /v1/trainers/${other}`)).body.room, 0);
    assertEquals((await service.call(`DELETE /v1/trainers/${other}/clients/${first}`)).status, 204);
    assertEquals((await read(`PATCH /v1/trainers/${other}`, { capacity: null })).body.room, null);
  });

  it("makes a webhook, and gives out what shards tell from then on", async () => {
    const { status, body } = await read("POST /v1/webhooks", { url: null, types: ["assignments.created"] });
    assertEquals([status, body.types], [201, ["assignments.created"]]);
    const added = await addMembers(database.sql, 10);
    const events = await read("GET /v1/events");
    const told = events.body.events.flatMap(({ data }: { data: { assignments: { memberId: string }[] } }) =>
      data.assignments.map(({ memberId }) => memberId)
    );
    assertEquals(told.toSorted(), added);
    assertEquals((await read(`GET /v1/events?after=${events.body.next}`)).body.events, []);
    assertEquals((await service.call(`DELETE /v1/webhooks/${body.id}`)).status, 204);
    await database.sql`delete from public.members where id in ${database.sql(added)}`;
  });

  it("shows the policy, what it says of a member and what another would do", async () => {
    await putRules(database.sql, [{ name: "all", assign: among("spread", [other]) }]);
    const { body } = await read(`GET /v1/members/${member}/decision`);
    assertEquals(
      body.rules[0].trainers.map(({ trainerId, isMember }: Record<string, unknown>) => [trainerId, isMember]),
      [
        [other, true],
      ],
    );
    for (const path of ["policy", "policy/versions", "policy/versions/2", "failures", "events", "webhooks"]) {
      assertEquals((await read(`GET /v1/${path}`)).status, 200, path);
    }
    await putRules(database.sql, []);
  });

  it("starts and shows runs", async () => {
    const { status, body } = await read("POST /v1/backfills", {});
    assertEquals([status, body.status, body.total], [202, "running", 31]);
    await driveToEnd(database.sql, body);
    const [run] = (await read("GET /v1/backfills")).body.runs;
    assertEquals([run.id, run.status, run.processed], [body.id, "succeeded", 31]);
    const dry = await startBackfill(database.sql, { requestedBy: "test", dryRun: true });
    await driveToEnd(database.sql, dry);
    assertEquals((await read(`GET /v1/backfills/${dry.id}`)).body.status, "succeeded");
    assertEquals((await read("GET /v1/transfers")).status, 200);
  });
});
