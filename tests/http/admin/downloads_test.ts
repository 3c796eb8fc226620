import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { runBackfill } from "../../support/backfills.ts";
import { addUnseenMembers, refuseAssignments } from "../../support/members.ts";
import { get, HOME, signIn } from "../admin_page.ts";
import { type TestService, testService } from "../test_service.ts";

const MARK = "\ufeff";

describe("downloads of the admin page", () => {
  let service: TestService;
  let cookie: string;
  let id: string;
  beforeAll(async () => {
    service = await testService();
    cookie = await signIn(service);
    const [row] = await service.sql<[{ id: string }]>`
      insert into public.members (email, display_name) values ('zoë@example.com', '=Zoë') returning id
    `;
    id = row.id;
  });
  afterAll(() => service.stop());

  async function download(path: string): Promise<string[]> {
    const response = await get(service, `${HOME}/${path}`, cookie);
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
    return text.trimEnd().split("\r\n");
  }

  it("begin with a byte order mark and name the clients", async () => {
    const lines = await download(`trainers/${DEFAULT_TRAINER_ID}/clients.csv`);
    assertEquals(
      lines[0],
      `${MARK}clientId,memberName,memberEmail,assignmentId,assignmentDate,status,source,assignedBy,policyVersion,rule,endedAt,endedBy,endedBecause,notes`,
    );
    assertEquals(lines[1]?.split(",").slice(0, 3), [id, "'=Zoë", "zoë@example.com"]);
  });

  it("of ended assignments tell when", async () => {
    await endAssignment(service.sql, DEFAULT_TRAINER_ID, id);
    const [row] = await service.sql<[{ endedAt: Date }]>`
      select ended_at from public.trainer_client_assignments where client_id = ${id}
    `;
    const [, line = ""] = await download(`trainers/${DEFAULT_TRAINER_ID}/clients.csv?status=inactive`);
    const by = ["postgres", "manual"];
    assertEquals(line.split(",").slice(5), [
      "inactive",
      ...["trigger", "trigger", "1", ""],
      ...[row.endedAt.toISOString(), ...by, ""],
    ]);
  });

  it("name the members that a run failed to assign", async () => {
    await addUnseenMembers(service.sql, 1);
    await service
      .sql`update public.members set email = 'refused@example.com' where email is null and id <> ${DEFAULT_TRAINER_ID}`;
    await refuseAssignments(service.sql, "true");
    const run = await runBackfill(service.sql);
    const lines = await download(`runs/${run.id}/errors.csv`);
    assertEquals(lines[0], `${MARK}memberId,memberName,memberEmail,code,message`);
    assertEquals(lines[1]?.split(",").slice(1, 4), ["", "refused@example.com", "P0001"]);
  });

  it("leave out the columns that the members table does not have", async () => {
    await service.sql`alter table public.members drop column display_name`;
    const path = `trainers/${DEFAULT_TRAINER_ID}/clients.csv?status=inactive`;
    assertEquals((await download(path))[0]?.startsWith(`${MARK}clientId,memberEmail,assignmentId`), true);
    await service.sql`alter table public.members drop column email`;
    assertEquals((await download(path))[0]?.startsWith(`${MARK}clientId,assignmentId`), true);
  });

  it("of the API have no mark and no names, for programs read them", async () => {
    const response = await service.call(`GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`, {
      headers: { Accept: "text/csv" },
    });
    const [first] = new Uint8Array(await response.arrayBuffer());
    assertEquals(first, "c".charCodeAt(0));
  });
});
