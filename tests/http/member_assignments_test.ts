import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { getRun, startTransfer } from "../../src/runs/runs.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { driveToEnd } from "../support/backfills.ts";
import { withoutTrigger } from "../support/members.ts";
import { among, putRules } from "../support/policies.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

type Entry = Record<string, unknown>;

describe("a member's assignments over HTTP", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await testService();
  });
  afterAll(() => service.stop());

  const list = async (memberId: string, query = ""): Promise<{ assignments: Entry[]; next: string | null }> =>
    await (await service.call(`GET /v1/members/${memberId}/assignments${query}`, { as: "service" })).json();

  it("are all of them, the newest first, with how and why each was made", async () => {
    const [trainer = "", other = ""] = await addMembers(service.sql, 2);
    const version = await putRules(service.sql, [{ name: "Everybody", assign: among("spread", [trainer]) }]);
    const [memberId = ""] = await addMembers(service.sql, 1);
    await service.call(`PUT /v1/trainers/${other}/clients/${memberId}`, { json: { notes: "asked for" } });
    await service.call(`DELETE /v1/trainers/${trainer}/clients/${memberId}`);
    await putRules(service.sql, []);

    const { assignments, next } = await list(memberId);
    assertEquals(next, null);
    const [byHand, byRule] = assignments;
    const { id: _id, assignmentDate, ...rest } = byHand ?? {};
    assertMatch(String(assignmentDate), /Z$/);
    assertEquals(rest, {
      trainerId: other,
      status: "active",
      source: "manual",
      assignedBy: "ops",
      backfillRunId: null,
      policyVersion: null,
      rule: null,
      ruleName: null,
      endedAt: null,
      endedBy: null,
      endedBecause: null,
      endedRunId: null,
      notes: "asked for",
    });
    assertEquals(
      [byRule?.["trainerId"], byRule?.["status"], byRule?.["source"], byRule?.["policyVersion"]],
      [trainer, "inactive", "trigger", version],
    );
    assertEquals([byRule?.["rule"], byRule?.["ruleName"]], [1, "Everybody"], "of the version that chose");
    assertMatch(String(byRule?.["endedAt"]), /Z$/);
    assertEquals(
      [byRule?.["assignedBy"], byRule?.["endedBy"], byRule?.["endedBecause"], byRule?.["endedRunId"]],
      ["trigger", "ops", "manual", null],
    );
  });

  it("name who started the runs that made and ended them", async () => {
    const [trainer = "", other = ""] = await addMembers(service.sql, 2);
    const [memberId = ""] = await addMembers(service.sql, 1);
    await service.call(`PUT /v1/trainers/${trainer}/clients/${memberId}`);
    const { id } = await startTransfer(service.sql, {
      fromTrainerId: trainer,
      trainerId: other,
      requestedBy: "ops",
    });
    await driveToEnd(service.sql, await getRun(service.sql, id));
    const { assignments: [made, ended] } = await list(memberId);
    assertEquals([made?.["trainerId"], made?.["source"], made?.["assignedBy"], made?.["backfillRunId"]], [
      other,
      "transfer",
      "ops",
      id,
    ]);
    assertEquals([ended?.["endedBy"], ended?.["endedBecause"], ended?.["endedRunId"]], [
      "ops",
      "transfer",
      id,
    ]);
  });

  it("outlive their trainer, who is null then", async () => {
    const [trainer = "", memberId = ""] = await addMembers(service.sql, 2);
    await service.call(`PUT /v1/trainers/${trainer}/clients/${memberId}`);
    await service.call(`DELETE /v1/trainers/${trainer}/clients/${memberId}`);
    await service.sql`delete from public.members where id = ${trainer}`;
    const { assignments: [entry] } = await list(memberId);
    assertEquals([entry?.["trainerId"], entry?.["endedBy"]], [null, "ops"]);
  });

  it("name the run that made one, and no rule for the default trainer", async () => {
    const memberId = newId();
    await withoutTrigger(service.sql, (tx) => tx`insert into public.members (id) values (${memberId})`);
    const { id, policyVersion } = await (await service.call("POST /v1/backfills")).json();
    await driveToEnd(service.sql, await getRun(service.sql, id));
    const { assignments: [entry] } = await list(memberId);
    assertEquals(
      [entry?.["trainerId"], entry?.["source"], entry?.["backfillRunId"], entry?.["policyVersion"]],
      [DEFAULT_TRAINER_ID, "backfill", id, policyVersion],
    );
    assertEquals([entry?.["rule"], entry?.["ruleName"]], [null, null]);
  });

  it("are filtered by status, and come in pages that lose none and repeat none", async () => {
    const [memberId = "", ...trainers] = await addMembers(service.sql, 6);
    for (const trainerId of trainers) await service.call(`PUT /v1/trainers/${trainerId}/clients/${memberId}`);
    for (const trainerId of trainers.slice(0, 2)) {
      await service.call(`DELETE /v1/trainers/${trainerId}/clients/${memberId}`);
    }
    const idsOf = ({ assignments }: { assignments: Entry[] }) => assignments.map(({ id }) => String(id));
    const all = idsOf(await list(memberId));
    const [active, inactive] = [
      await list(memberId, "?status=active"),
      await list(memberId, "?status=inactive"),
    ];
    assertEquals([active.assignments.length, inactive.assignments.length], [4, 2]);
    assertEquals(all, [...idsOf(active), ...idsOf(inactive)].toSorted().toReversed());

    const read: string[] = [];
    for (let next: string | null = ""; next !== null;) {
      const page = await list(memberId, `?limit=2${next === "" ? "" : `&cursor=${next}`}`);
      read.push(...idsOf(page));
      next = page.next;
    }
    assertEquals(read, all);
    const { next } = await list(memberId, "?limit=2");
    const misplaced = await service.call(
      `GET /v1/members/${memberId}/assignments?status=active&cursor=${next}`,
    );
    assertEquals([misplaced.status, (await misplaced.json()).code], [400, "invalid_cursor"]);
  });

  it("are none for a member without, and 404 for somebody who is not a member", async () => {
    const memberId = newId();
    await withoutTrigger(service.sql, (tx) => tx`insert into public.members (id) values (${memberId})`);
    assertEquals(await list(memberId), { memberId, assignments: [], next: null } as never);
    const unknown = await service.call(`GET /v1/members/${newId()}/assignments`);
    assertEquals([unknown.status, (await unknown.json()).code], [404, "member_not_found"]);
  });
});
