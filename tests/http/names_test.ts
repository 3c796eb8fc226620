import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { runBackfill } from "../support/backfills.ts";
import { addUnseenMembers, refuseAssignments } from "../support/members.ts";
import { addMembers, type CallOptions, type TestService, testService } from "./test_service.ts";

const CSV: CallOptions = { headers: { Accept: "text/csv" } };
const NDJSON: CallOptions = { headers: { Accept: "application/x-ndjson" } };

describe("names in lists over HTTP", () => {
  let service: TestService;
  let zoe: string;
  beforeAll(async () => {
    service = await testService();
    const [row] = await service.sql<[{ id: string }]>`
      insert into public.members (email, display_name) values ('zoë@example.com', '=cmd|Zoë') returning id
    `;
    zoe = row.id;
  });
  afterAll(() => service.stop());

  const clients = `GET /v1/trainers/${DEFAULT_TRAINER_ID}/clients`;
  const text = async (request: string, options?: CallOptions) =>
    await (await service.call(request, options)).text();

  it("are in no list unless they are asked for", async () => {
    for (const options of [{}, CSV, NDJSON]) {
      const list = await text(clients, options);
      assert(list.includes(zoe) && !list.includes("Zoë") && !list.includes("zoë@"));
    }
  });

  it("are added to the clients of a trainer as JSON, NDJSON and CSV, without formulas", async () => {
    const page = await (await service.call(`${clients}?names=true`)).json();
    assertEquals([page.clients[0].memberName, page.clients[0].memberEmail], ["=cmd|Zoë", "zoë@example.com"]);
    const line = JSON.parse(await text(`${clients}?names=true`, NDJSON));
    assertEquals([line.clientId, line.memberName, line.memberEmail], [zoe, "=cmd|Zoë", "zoë@example.com"]);
    const [head, row = ""] = (await text(`${clients}?names=true`, CSV)).split("\r\n");
    assertEquals(
      head,
      "clientId,memberName,memberEmail,assignmentId,assignmentDate,status,source,assignedBy,policyVersion,rule,endedAt,endedBy,endedBecause,notes",
    );
    assertEquals(row.split(",").slice(0, 3), [zoe, "'=cmd|Zoë", "zoë@example.com"]);
  });

  it("need the role viewer: a service's token gets ids alone", async () => {
    for (const options of [{}, CSV, NDJSON]) {
      const refused = await service.call(`${clients}?names=true`, { ...options, as: "service" });
      assertEquals(refused.status, 403);
      assertEquals((await service.call(clients, { ...options, as: "service" })).status, 200);
      assertEquals((await service.call(`${clients}?names=true`, { ...options, as: "viewer" })).status, 200);
    }
  });

  it("are in every page and in exports of several chunks", async () => {
    await addMembers(service.sql, 2100);
    await service.sql`update public.members set display_name = 'Same name' where display_name is null`;
    const rows = (await text(`${clients}?names=true`, CSV)).trimEnd().split("\r\n").slice(1);
    assertEquals(rows.length, 2101);
    assert(rows.slice(1).every((row) => row.includes(",Same name,")));
    const first = await (await service.call(`${clients}?names=true&limit=2`)).json();
    const next = await (await service.call(`${clients}?names=true&limit=2&cursor=${first.next}`)).json();
    assertEquals(next.clients.map(({ memberName }: { memberName: string }) => memberName), [
      "Same name",
      "Same name",
    ]);
  });

  it("are added to the members whom a run could not assign", async () => {
    await addUnseenMembers(service.sql, 1);
    await service.sql`update public.members set display_name = 'Refused' where display_name is null`;
    await refuseAssignments(service.sql, "true");
    const { id } = await runBackfill(service.sql);
    const errors = `GET /v1/backfills/${id}/errors`;
    assertEquals((await (await service.call(`${errors}?names=true`)).json()).errors[0].memberName, "Refused");
    assertEquals((await (await service.call(errors)).json()).errors[0].memberName, undefined);
    const [head, row = ""] = (await text(`${errors}?names=true`, CSV)).split("\r\n");
    assertEquals(head, "memberId,memberName,memberEmail,code,message");
    assertEquals(row.split(",")[1], "Refused");
  });

  it("are those of trainers, who are found by them", async () => {
    const listed = await (await service.call("GET /v1/trainers?search=DEFAULT%20tr")).json();
    assertEquals(
      listed.trainers.map(({ trainerId, name, email }: Record<string, unknown>) => [trainerId, name, email]),
      [
        [DEFAULT_TRAINER_ID, "Default trainer", null],
      ],
    );
    assertEquals((await (await service.call("GET /v1/trainers?search=Same")).json()).trainers, []);
    const byId = await (await service.call(`GET /v1/trainers?search=${DEFAULT_TRAINER_ID.slice(0, 8)}`))
      .json();
    assertEquals(byId.trainers.length, 1);
    const one = await (await service.call(`GET /v1/trainers/${zoe}`)).json();
    assertEquals([one.name, one.email], ["=cmd|Zoë", "zoë@example.com"]);
  });

  it("page through the trainers found, with a cursor that belongs to the search", async () => {
    await service.sql`
      insert into assignment.trainers (trainer_id)
      select id from public.members where display_name = 'Same name' order by id limit 3
    `;
    const first = await (await service.call("GET /v1/trainers?search=same&limit=2")).json();
    const second = await (await service.call(`GET /v1/trainers?search=same&limit=2&cursor=${first.next}`))
      .json();
    assertEquals([first.trainers.length, second.trainers.length, second.next], [2, 1, null]);
    const misplaced = await service.call(`GET /v1/trainers?search=other&limit=2&cursor=${first.next}`);
    assertEquals([misplaced.status, (await misplaced.json()).code], [400, "invalid_cursor"]);
  });
});
