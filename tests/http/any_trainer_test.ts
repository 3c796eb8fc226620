import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { withoutTrigger } from "../support/members.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

describe("the check for any trainer", () => {
  let service: TestService;
  let withDefault: string;
  let withOther: string;
  let withEnded: string;
  let withNone: string;
  let trainer: string;
  beforeAll(async () => {
    service = await testService();
    [withDefault = "", withOther = "", withEnded = "", trainer = ""] = await addMembers(service.sql, 4);
    withNone = newId();
    await withoutTrigger(service.sql, (tx) => tx`insert into public.members (id) values (${withNone})`);
    await service.call(`PUT /v1/trainers/${trainer}/clients/${withOther}`, { json: { notes: "by hand" } });
    for (const member of [withOther, withEnded]) {
      await service.call(`DELETE /v1/trainers/${DEFAULT_TRAINER_ID}/clients/${member}`);
    }
  });
  afterAll(() => service.stop());

  const check = async (memberId: string) => {
    const response = await service.call(`GET /v1/members/${memberId}/assignment?trainerId=any`, {
      as: "service",
    });
    const { trainerId, assigned, assignment } = await response.json();
    return [trainerId, assigned, assignment?.source ?? null];
  };

  it("finds an active assignment, whoever is its trainer, and names the trainer", async () => {
    assertEquals(await check(withDefault), [DEFAULT_TRAINER_ID, true, "trigger"]);
    assertEquals(await check(withOther), [trainer, true, "manual"]);
  });

  it("finds none for a member without an active one", async () => {
    assertEquals(await check(withEnded), ["any", false, null]);
    assertEquals(await check(withNone), ["any", false, null]);
  });

  it("answers 404 for an unknown member", async () => {
    const response = await service.call(`GET /v1/members/${newId()}/assignment?trainerId=any`);
    assertEquals([response.status, (await response.json()).code], [404, "member_not_found"]);
  });

  it("answers many at once, in the order asked", async () => {
    const memberIds = [withNone, withOther, newId(), withDefault, withEnded, withOther];
    const response = await service.call("POST /v1/assignments/check", {
      as: "service",
      json: { memberIds, trainerId: "any" },
    });
    const { trainerId, results } = await response.json();
    assertEquals(trainerId, "any");
    assertEquals(results.map(({ memberId }: { memberId: string }) => memberId), memberIds);
    assertEquals(
      results.map(({ assigned }: { assigned: boolean }) => assigned),
      [false, true, false, true, false, true],
    );
  });

  it("shares a query with checks of one trainer, and each gets its own answer", async () => {
    const ask = async (query: string, memberId: string) => {
      const response = await service.call(`GET /v1/members/${memberId}/assignment${query}`);
      const { trainerId, assigned } = await response.json();
      return [trainerId, assigned];
    };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => [
        ask("", withOther),
        ask("?trainerId=any", withOther),
        ask(`?trainerId=${trainer}`, withOther),
        ask("?trainerId=any", withNone),
      ]).flat(),
    );
    for (const [index, answer] of answers.entries()) {
      const expected = [[DEFAULT_TRAINER_ID, false], [trainer, true], [trainer, true], ["any", false]];
      assertEquals(answer, expected[index % 4]);
    }
  });

  it("names the same of several trainers at each call", async () => {
    const [member = "", one = "", other = ""] = await addMembers(service.sql, 3);
    for (const id of [other, one]) await service.call(`PUT /v1/trainers/${id}/clients/${member}`);
    const [first] = await check(member);
    for (let again = 0; again < 5; again++) assertEquals((await check(member))[0], first);
  });

  it("needs no default trainer", async () => {
    await service.sql`delete from assignment.settings`;
    assertEquals(await check(withOther), [trainer, true, "manual"]);
    const bulk = await service.call("POST /v1/assignments/check", {
      json: { memberIds: [withOther], trainerId: "any" },
    });
    assertEquals((await bulk.json()).results, [{ memberId: withOther, assigned: true }]);
  });

  it("is asked for by no other word", async () => {
    for (const word of ["all", "ANY", ""]) {
      const response = await service.call(`GET /v1/members/${withOther}/assignment?trainerId=${word}`);
      const { errors } = await response.json();
      assertEquals([response.status, errors], [400, [{
        pointer: "/query/trainerId",
        detail: "Must be a UUID, or any.",
      }]]);
    }
  });
});
