import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { exportMember } from "../../src/history/member_export.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { runBackfill } from "../support/backfills.ts";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";
import { SERVICE_ROLE } from "../support/databases.ts";
import { collectGarbage } from "../support/garbage.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("the export of a member", () => {
  let service: TestService;
  let memberId: string;
  beforeAll(async () => {
    service = await testService();
    const { sql } = service;
    memberId = newId();
    await sql.unsafe(`
      alter table public.members add column snake_key jsonb, add column "Of ""others""" text default 'hidden';
    `);
    await sql`select assignment.grant_service(${SERVICE_ROLE}, '{email,display_name,snake_key}')`;
  });
  afterAll(() => service.stop());

  const read = async (id = memberId) => await (await service.call(`GET /v1/members/${id}/export`)).json();

  it("has the row, assignments, failure, errors of runs, settings as a trainer and lines of the audit log", async () => {
    const { sql } = service;
    await refuseAssignments(sql, `new.client_id = '${memberId}'`);
    await sql`
      insert into public.members (id, email, display_name, snake_key)
      values (${memberId}, 'zoë@example.com', '"Zoë"', '{"inner_key": 1}')
    `;
    const run = await runBackfill(sql);
    await acceptAssignments(sql);
    const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`;
    const waiting = await read();
    assertEquals(waiting.failure.sqlstate, "P0001");
    await service.call(`PUT ${path}`, { json: { notes: "knee" } });
    await service.call(`DELETE ${path}`);
    await service.call(`PATCH /v1/trainers/${memberId}`, { json: { capacity: 3, note: "on leave" } });
    const [client = ""] = await addMembers(sql, 1);
    await service.call(`PUT /v1/trainers/${memberId}/clients/${client}`);
    await service.call("PUT /v1/policy", {
      json: { defaultTrainerId: memberId },
      headers: { "If-Match": "*" },
    });

    const kept = await read();
    assertEquals(kept.memberId, memberId);
    assertEquals(kept.columns.toSorted(), ["display_name", "email", "id", "snake_key"]);
    assertEquals(kept.member, {
      id: memberId,
      email: "zoë@example.com",
      display_name: '"Zoë"',
      snake_key: { inner_key: 1 },
    });
    assertEquals(kept.failure, null);
    assertEquals(kept.eventFailures, []);
    assertEquals(kept.runErrors, [{
      runId: run.id,
      code: "P0001",
      message: `member ${memberId} is refused`,
    }]);
    const [own] = kept.assignmentsAsClient;
    assertEquals([own.notes, own.assignedBy, own.endedBy, own.endedBecause], [
      "knee",
      "ops",
      "ops",
      "manual",
    ]);
    assertEquals(kept.assignmentsAsTrainer.map(({ clientId }: { clientId: string }) => clientId), [client]);
    assertEquals([kept.trainerSettings.capacity, kept.trainerSettings.note], [3, "on leave"]);
    assertEquals([kept.trainerInRuns, kept.trainerInPolicyVersions], [[], [2]]);
    assertEquals(kept.auditLines.map(({ action }: { action: string }) => action), [
      "assignment.made",
      "trainer.changed",
      "assignment.ended",
      "assignment.made",
    ]);
  });

  it("is a file, for admins alone", async () => {
    const request = `GET /v1/members/${memberId}/export`;
    const response = await service.call(request);
    assertEquals(
      response.headers.get("Content-Disposition"),
      `attachment; filename="member-${memberId}.json"`,
    );
    await response.body?.cancel();
    assertEquals((await service.call(request, { as: "viewer" })).status, 403);
  });

  it("is 404 for somebody unknown, before anything is sent", async () => {
    const response = await service.call(`GET /v1/members/${newId()}/export`);
    assertEquals([response.status, (await response.json()).code], [404, "member_not_found"]);
    assertEquals((await service.call("GET /v1/members/x/export")).status, 400);
  });

  it("of a trainer with 60,000 clients is written in constant memory", async () => {
    const { sql } = service;
    const [trainer = ""] = await addMembers(sql, 1);
    await service.call("PUT /v1/policy", {
      json: { defaultTrainerId: trainer },
      headers: { "If-Match": "*" },
    });
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 60000)`;
    const liveBytes: number[] = [];
    let pieces = 0;
    let clients = 0;
    for await (const piece of exportMember(sql, trainer)) {
      clients += piece.split('"clientId"').length - 1;
      if (pieces++ % 5 === 0) liveBytes.push(collectGarbage());
    }
    assertEquals(clients, 60_000);
    const [first = 0, ...later] = liveBytes;
    assert(later.length >= 5);
    assertLess(Math.max(...later) - first, 8 * 1024 * 1024);
  });

  it("breaks off where the database fails midway, and does not look complete", async () => {
    const { sql } = service;
    await sql`alter table assignment.audit_log rename to gone`;
    const response = await service.app.request(`/v1/members/${memberId}/export`, {
      headers: { Authorization: "Bearer admin-token-of-the-test" },
    });
    let text = "";
    try {
      for await (const bytes of response.body ?? []) text += new TextDecoder().decode(bytes);
      assert(false, "it ended");
    } catch (error) {
      assertStringIncludes(String(error), "cut off");
    }
    assertEquals(text.endsWith("}\n"), false);
    await sql`alter table assignment.gone rename to audit_log`;
  });
});
