import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { addMembers, type TestService, testService } from "./test_service.ts";

const Page = z.object({
  lines: z.array(z.looseObject({ id: z.string(), action: z.string(), actor: z.string() })),
  next: z.string().nullable(),
});

describe("the audit log over HTTP", () => {
  let service: TestService;
  let memberId: string;
  let assignmentId: string;
  beforeAll(async () => {
    service = await testService();
    [memberId = ""] = await addMembers(service.sql, 1);
    const path = `/v1/trainers/${DEFAULT_TRAINER_ID}/clients/${memberId}`;
    await service.call(`DELETE ${path}`, { headers: { "X-Request-Id": "the-end" } });
    const made = await service.call(`PUT ${path}`, { json: { force: true } });
    assignmentId = (await made.json()).assignment.id;
    await service.call(`PATCH /v1/trainers/${DEFAULT_TRAINER_ID}`, { json: { capacity: 7, note: "=1+1" } });
    await service.call("PUT /v1/policy", {
      json: { defaultTrainerId: memberId },
      headers: { "If-Match": "*" },
    });
    await service.sql`
      insert into assignment.audit_log (at, actor, database_role, action, subject, after)
      values ('2026-01-01T00:00:00Z', '=cmd()', 'x', 'run.ended', '@subject', '{"snake_key": "Zoë \\"quoted\\", with comma"}')
    `;
  });
  afterAll(() => service.stop());

  const list = async (query = "") =>
    Page.parse(await (await service.call(`GET /v1/audit${query}`, { as: "viewer" })).json());
  const actionsOf = async (query: string) => (await list(query)).lines.map(({ action }) => action);
  const download = (accept: string, query = "") =>
    service.call(`GET /v1/audit${query}`, { as: "viewer", headers: { Accept: accept } });

  it("tells who did what to what, newest first", async () => {
    const { lines, next } = await list();
    assertEquals(lines.map(({ actor, action }) => `${actor} ${action}`), [
      "ops policy.changed",
      "ops trainer.changed",
      "ops assignment.made",
      "ops assignment.ended",
      "=cmd() run.ended",
    ]);
    assertEquals(next, null);
    const { id: _id, at, ...made }: Record<string, unknown> = lines[2] ?? {};
    assertMatch(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert(made.requestId !== null);
    assertEquals({ ...made, requestId: null }, {
      actor: "ops",
      databaseRole: "test_service",
      action: "assignment.made",
      subject: `assignment:${assignmentId}`,
      memberId,
      trainerId: DEFAULT_TRAINER_ID,
      trainerIds: [DEFAULT_TRAINER_ID],
      before: null,
      after: { trainerId: DEFAULT_TRAINER_ID, force: true },
      requestId: null,
    });
    assertEquals(lines[3]?.["requestId"], "the-end");
    assertEquals(lines[4]?.["after"], { snake_key: 'Zoë "quoted", with comma' });
  });

  it("is filtered", async () => {
    assertEquals(await actionsOf(`?memberId=${memberId.toUpperCase()}`), [
      "assignment.made",
      "assignment.ended",
    ]);
    assertEquals(await actionsOf(`?trainerId=${DEFAULT_TRAINER_ID}&action=trainer.changed`), [
      "trainer.changed",
    ]);
    assertEquals(await actionsOf(`?subject=assignment:${assignmentId}`), ["assignment.made"]);
    assertEquals(await actionsOf("?actor=%3Dcmd()"), ["run.ended"]);
    assertEquals(await actionsOf("?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00.001Z"), ["run.ended"]);
    assertEquals(await actionsOf("?actor=nobody"), []);
    assertEquals(await actionsOf("?to=0001-01-01T00:00:00Z"), []);
  });

  it("comes in pages, whose cursor belongs to their filter", async () => {
    const all = (await list()).lines;
    const read = [];
    for (let next: string | null = ""; next !== null;) {
      const page = await list(`?limit=2${next === "" ? "" : `&cursor=${next}`}`);
      read.push(...page.lines);
      next = page.next;
    }
    assertEquals(read, all);
    const first = await service.call("GET /v1/audit?limit=2&actor=ops");
    assertStringIncludes(first.headers.get("Link") ?? "", "actor=ops");
    const { next } = await first.json();
    assertEquals((await list(`?limit=2&actor=ops&cursor=${next}`)).lines.length, 2);
    for (const query of ["", "&actor=crm", "&actor=ops&action=run.ended"]) {
      const misplaced = await service.call(`GET /v1/audit?limit=2&cursor=${next}${query}`);
      assertEquals([misplaced.status, (await misplaced.json()).code], [400, "invalid_cursor"]);
    }
  });

  it("is downloaded as NDJSON, with what the pages have", async () => {
    const response = await download("application/x-ndjson");
    assertEquals(response.headers.get("Content-Disposition"), 'attachment; filename="audit.ndjson"');
    const lines = (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines, (await list()).lines);
    const filtered = await download("application/x-ndjson", "?action=run.ended");
    assertEquals((await filtered.text()).trimEnd().split("\n").length, 1);
  });

  it("is downloaded as CSV, in which nothing runs as a formula", async () => {
    const text = await (await download("text/csv")).text();
    const lines = text.split("\r\n");
    assertEquals(
      lines[0],
      "id,at,actor,databaseRole,action,subject,memberId,trainerId,trainerIds,before,after,requestId",
    );
    assertEquals(
      lines[5]?.slice(37),
      `2026-01-01T00:00:00.000Z,'=cmd(),x,run.ended,'@subject,,,[],,"{""snake_key"":""Zoë \\""quoted\\"", with comma""}",`,
    );
    assertEquals(lines.length, 7);
  });

  it("is streamed whole, also where it has more lines than a chunk", async () => {
    await service.sql`
      insert into assignment.audit_log (at, actor, database_role, action)
      select '2025-01-01'::timestamptz + n % 7 * interval '1 second', 'many', 'x', 'run.paused' from generate_series(1, 3456) as n
    `;
    const text = await (await download("application/x-ndjson", "?actor=many")).text();
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(new Set(lines.map(({ id }) => id)).size, 3456);
    const order = lines.map(({ at, id }) => `${at} ${id}`);
    assertEquals(order, order.toSorted().toReversed());
  });

  it("refuses what it cannot look for", async () => {
    for (
      const query of [
        "action=run.exploded",
        "from=yesterday",
        "from=0000-01-01T00:00:00Z",
        "to=2026-01-01",
        "memberId=x",
        "actor=",
        "actor=%00",
        "subject=%00",
        "actor=a&actor=b",
        "limit=0",
        "who=me",
      ]
    ) {
      const response = await service.call(`GET /v1/audit?${query}`);
      assertEquals([query, response.status, (await response.json()).code], [query, 400, "invalid_request"]);
    }
    const paged = await download("text/csv", "?limit=5");
    assertEquals(paged.status, 400);
  });
});
