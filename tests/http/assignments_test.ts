import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { refuseAssignments } from "../support/members.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const NOBODY = "00000000-0000-0000-0000-00000000dead";

describe("assignments over HTTP", () => {
  let service: TestService;
  let member: string;
  let trainer: string;
  beforeAll(async () => {
    service = await testService();
    [member = "", trainer = ""] = await addMembers(service.sql, 2);
  });
  afterAll(() => service.stop());

  const codeOf = async (response: Response) => `${response.status} ${(await response.json()).code}`;

  it("show that the database assigned a member, and how", async () => {
    const response = await service.call(`GET /v1/members/${member}/assignment`, { as: "service" });
    assertEquals(response.status, 200);
    const { assignment, ...rest } = await response.json();
    assertEquals(rest, { memberId: member, trainerId: DEFAULT_TRAINER_ID, assigned: true });
    assertEquals({ source: assignment.source, notes: assignment.notes }, { source: "trigger", notes: null });
    assertMatch(assignment.assignmentDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("show that a member is not assigned to another trainer", async () => {
    const response = await service.call(`GET /v1/members/${member}/assignment?trainerId=${trainer}`);
    assertEquals(await response.json(), {
      memberId: member,
      trainerId: trainer,
      assigned: false,
      assignment: null,
    });
  });

  it("answer 404 for a member who does not exist", async () => {
    assertEquals(
      await codeOf(await service.call(`GET /v1/members/${NOBODY}/assignment`)),
      "404 member_not_found",
    );
  });

  it("take ids in any case and of any version, and answer in lower case", async () => {
    const odd = "ABCDEF01-2345-F789-0ABC-DEF012345678";
    await service.sql`insert into public.members (id) values (${odd})`;
    const response = await service.call(
      `GET /v1/members/${odd}/assignment?trainerId=${DEFAULT_TRAINER_ID.toUpperCase()}`,
    );
    const { memberId, trainerId, assigned } = await response.json();
    assertEquals({ memberId, trainerId, assigned }, {
      memberId: odd.toLowerCase(),
      trainerId: DEFAULT_TRAINER_ID,
      assigned: true,
    });
  });

  it("check a thousand members at once, in the given order, including unknown and repeated ones", async () => {
    const ids = await addMembers(service.sql, 997);
    const memberIds = [NOBODY, ...ids.toReversed(), member.toUpperCase(), member];
    const response = await service.call("POST /v1/assignments/check", { as: "service", json: { memberIds } });
    assertEquals(response.status, 200);
    const { trainerId, results } = await response.json();
    assertEquals(trainerId, DEFAULT_TRAINER_ID);
    assertEquals(
      results.map((result: { memberId: string }) => result.memberId),
      memberIds.map((id) => id.toLowerCase()),
    );
    assertEquals(
      results.map((result: { assigned: boolean }) => result.assigned),
      memberIds.map((id) => id !== NOBODY),
    );
  });

  it("assign once, and change nothing afterwards", async () => {
    const put = (notes: string) =>
      service.call(`PUT /v1/trainers/${trainer}/clients/${member}`, { json: { notes } });
    const first = await put("asked for");
    assertEquals(first.status, 201);
    const assigned = await first.json();
    assertEquals(assigned.assignment.source, "manual");
    assertEquals(assigned.assignment.notes, "asked for");

    const second = await put("something else");
    assertEquals(second.status, 200);
    assertEquals(await second.json(), assigned);
  });

  it("assign without a body", async () => {
    const [another = ""] = await addMembers(service.sql, 1);
    const response = await service.call(`PUT /v1/trainers/${trainer}/clients/${another}`);
    assertEquals(response.status, 201);
    assertEquals((await response.json()).assignment.notes, null);
  });

  it("keep notes unchanged, whatever they contain", async () => {
    const [another = ""] = await addMembers(service.sql, 1);
    const notes = `<script>alert(1)</script> "'\\ '; drop table members; -- \u202e ünï \u{1F9D1} \n\t =1+1`;
    const response = await service.call(`PUT /v1/trainers/${trainer}/clients/${another}`, {
      json: { notes },
    });
    assertEquals((await response.json()).assignment.notes, notes);
  });

  it("end an assignment once; it is inactive then, and the member can be assigned again", async () => {
    const [another = ""] = await addMembers(service.sql, 1);
    const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients/${another}`;

    const ended = await service.call(`DELETE ${path}`);
    assertEquals([ended.status, await ended.text()], [204, ""]);
    assertEquals(await codeOf(await service.call(`DELETE ${path}`)), "404 assignment_not_found");
    const check = await service.call(`GET /v1/members/${another}/assignment`);
    assertEquals((await check.json()).assigned, false);
    const list = await service.call(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients?status=inactive`);
    const { clients } = await list.json();
    assertEquals(clients.map((client: { clientId: string }) => client.clientId), [another]);
    assertMatch(clients[0].endedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    for (const status of ["inactive", "all"]) {
      const download = await service.call(
        `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients?status=${status}`,
        { headers: { Accept: "text/csv" } },
      );
      const text = await download.text();
      for (const field of ["inactive", clients[0].endedAt]) assertStringIncludes(text, `,${field},`);
    }
    assertEquals((await service.call(`PUT ${path}`)).status, 201);
  });

  it("refuse unknown trainers and members, and a member as their own trainer", async () => {
    assertEquals(
      await codeOf(await service.call(`PUT /v1/trainers/${NOBODY}/clients/${member}`)),
      "404 trainer_not_found",
    );
    assertEquals(
      await codeOf(await service.call(`PUT /v1/trainers/${trainer}/clients/${NOBODY}`)),
      "404 member_not_found",
    );
    assertEquals(
      await codeOf(await service.call(`PUT /v1/trainers/${trainer}/clients/${trainer}`)),
      "422 member_is_trainer",
    );
    assertEquals(
      await codeOf(await service.call(`GET /v1/trainers/${NOBODY}/clients`)),
      "404 trainer_not_found",
    );
    assertEquals(
      await codeOf(
        await service.call(`GET /v1/trainers/${NOBODY}/clients`, { headers: { Accept: "text/csv" } }),
      ),
      "404 trainer_not_found",
    );
  });

  it("say that the database refused, without its message", async () => {
    const broken = await testService();
    const [refused = "", trainer = ""] = await addMembers(broken.sql, 2);
    await refuseAssignments(broken.sql, "new.notes = 'secret'", "23514");
    const response = await broken.call(`PUT /v1/trainers/${trainer}/clients/${refused}`, {
      json: { notes: "secret" },
    });
    assertEquals(response.status, 409);
    const { code, sqlstate, detail } = await response.json();
    assertEquals({ code, sqlstate, detail }, {
      code: "assignment_failed",
      sqlstate: "23514",
      detail: "The database refused this assignment.",
    });
    await broken.stop();
  });

  it("say that there is no default trainer", async () => {
    const bare = await testService();
    const [member = ""] = await addMembers(bare.sql, 1);
    await bare.sql`delete from assignment.settings`;
    assertEquals(
      await codeOf(await bare.call(`GET /v1/members/${member}/assignment`)),
      "422 trainer_not_found",
    );
    await bare.stop();
  });
});
