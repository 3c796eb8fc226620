import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import {
  AUDIT_ACTIONS,
  type AuditFilter,
  type AuditLine,
  listAuditLines,
  selectAuditLines,
  streamAuditLines,
} from "../../../src/history/audit_lines.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import { changeTrainer } from "../../../src/policy/trainers.ts";
import { startBackfill } from "../../../src/runs/runs.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers } from "../../support/policies.ts";

describe("the audit log", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  let one: string;
  let two: string;
  beforeAll(async () => {
    database = await testDatabase();
    sql = await database.newServicePool();
    [anna = "", ben = "", one = "", two = ""] = await addTrainers(database.sql, 4);
    const maria = { actor: "maria", requestId: "request-1" };
    await assignClientToTrainer(sql, one, { trainerId: anna, ...maria });
    await assignClientToTrainer(sql, two, { trainerId: ben, actor: "ops" });
    await endAssignment(sql, anna, one, maria);
    await changeTrainer(sql, anna, { capacity: 5 }, "ops");
    await setDefaultTrainer(sql, ben, "ops");
    await startBackfill(sql, { requestedBy: "ops" });
    await database.sql`
      update public.trainer_client_assignments
      set notes = 'past the service'
      where client_id in (${one}, ${two})
        and trainer_id in (${anna}, ${ben})
    `;
  });
  afterAll(() => database.drop());

  const actionsOf = async (filter: AuditFilter) =>
    (await listAuditLines(sql, filter, { limit: 100 })).map(({ action }) => action);

  it("is listed newest first, each line with who, what, to what, before and after", async () => {
    const lines = await listAuditLines(sql, {}, { limit: 100 });
    assertEquals(lines.map(({ action, actor }) => `${actor} ${action}`), [
      "postgres assignments.changed",
      "ops run.started",
      "ops policy.changed",
      "ops trainer.changed",
      "maria assignment.ended",
      "ops assignment.made",
      "maria assignment.made",
    ]);
    const [, , , settings, ended] = lines;
    const { id: _id, at, subject, ...line } = ended ?? {};
    assert(at instanceof Date);
    assertEquals(subject?.startsWith("assignment:"), true);
    assertEquals(line, {
      actor: "maria",
      databaseRole: "test_service",
      action: "assignment.ended",
      memberId: one,
      trainerId: anna,
      trainerIds: [anna],
      before: { trainerId: anna },
      after: null,
      requestId: "request-1",
    });
    assertEquals([settings?.before, settings?.after], [
      { capacity: null, acceptsClients: true },
      { capacity: 5, acceptsClients: true, noteChanged: false },
    ]);
  });

  it("is filtered by actor, action, subject, trainer and member, and by several at once", async () => {
    assertEquals((await actionsOf({ actor: "maria" })).length, 2);
    assertEquals(await actionsOf({ action: "assignment.ended" }), ["assignment.ended"]);
    assertEquals(await actionsOf({ subject: `trainer:${anna}`, action: "trainer.changed" }), [
      "trainer.changed",
    ]);
    assertEquals(await actionsOf({ subject: "policy:2" }), ["policy.changed"]);
    const ofTrainer = ["assignments.changed", "trainer.changed", "assignment.ended", "assignment.made"];
    assertEquals(await actionsOf({ trainerId: anna }), ofTrainer);
    assertEquals(await actionsOf({ memberId: anna }), ofTrainer, "as a trainer");
    assertEquals(await actionsOf({ memberId: one }), [
      "assignments.changed",
      "assignment.ended",
      "assignment.made",
    ]);
    assertEquals(await actionsOf({ memberId: one, actor: "maria", action: "assignment.made" }), [
      "assignment.made",
    ]);
    assertEquals(await actionsOf({ memberId: one, trainerId: ben }), ["assignments.changed"]);
    assertEquals(await actionsOf({ memberId: one, trainerId: ben, actor: "maria" }), []);
  });

  it("is filtered by time: from the first, before the second", async () => {
    const all = await listAuditLines(sql, {}, { limit: 100 });
    await database.sql`
      insert into assignment.audit_log (at, actor, database_role, action)
      values ('2020-01-01T00:00:00Z', 'x', 'x', 'run.ended'), ('2020-01-02T00:00:00Z', 'x', 'x', 'run.paused')
    `;
    const between = (from: string, to: string) => actionsOf({ from: new Date(from), to: new Date(to) });
    assertEquals(await between("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"), ["run.ended"]);
    assertEquals(await between("2020-01-01T00:00:00.001Z", "2020-01-02T00:00:00.001Z"), ["run.paused"]);
    assertEquals((await actionsOf({ from: new Date("2020-01-03T00:00:00Z") })).length, all.length);
    await database.sql`select assignment.forget_before('2020-01-03')`;
  });

  for (const what of ["everything", "a member"] as const) {
    it(`comes in pages that lose none and repeat none, of ${what}`, async () => {
      const filter = what === "everything" ? {} : { memberId: anna };
      const all = await listAuditLines(sql, filter, { limit: 100 });
      const read: AuditLine[] = [];
      for (let done = false; !done;) {
        const page = await listAuditLines(sql, filter, { limit: 2, after: read.at(-1)?.id });
        read.push(...page);
        done = page.length < 2;
      }
      assertEquals(read, all);
    });
  }

  it("names every action that a migration records", async () => {
    const recorded = new Set<string>();
    for (const { name } of Deno.readDirSync("db/migrations")) {
      const text = await Deno.readTextFile(`db/migrations/${name}`);
      if (!/record_audit|record_access/.test(text)) continue;
      for (const [, action = ""] of text.matchAll(/'([a-z]+\.[a-z]+)'/g)) {
        if (action !== "public.members") recorded.add(action);
      }
    }
    recorded.add("run.paused").add("run.cancelled"); // made of the status
    recorded.delete("assignment.forgets"); // a setting
    assertEquals([...recorded].sort(), [...AUDIT_ACTIONS].sort());
  });
});

describe("an audit log of 1,000,000 lines", () => {
  const LINES = 1_000_000;
  /** What a page of 100 may read of some 40,000: most filters read 500, a trainer's lines by a rare actor up to 9,000. */
  const MOST_BUFFERS = 10_000;
  let database: TestDatabase;
  let sql: Sql;
  let member: string;
  let trainer: string;
  let rareTrainer: string;
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
    [member = "", trainer = "", rareTrainer = ""] = await addTrainers(sql, 3);
    await sql`
      with lines as (
        insert into assignment.audit_log (at, actor, database_role, action, subject, trainer_ids)
        select
          now() - n * interval '1 minute',
          case when n % 1000 = 0 then 'maria' when n % 2 = 0 then 'ops' else 'schedule' end,
          'service',
          case when n = 999000 then 'audit.forgotten' when n % 3 = 0 then 'run.started' else 'assignment.made' end,
          'run:' || gen_random_uuid(),
          case when n = 998000 then array[${rareTrainer}]::uuid[] when n % 5 = 0 then array[${trainer}]::uuid[] else '{}' end
        from generate_series(1, ${LINES}) as n
        returning subject, trainer_ids, at, id
      )
      insert into assignment.audit_subjects (subject, at, line_id)
      select subject, at, id from lines
      union all
      select 'trainer:' || unnest(trainer_ids), at, id from lines
    `;
    await assignClientToTrainer(sql, member, { trainerId: trainer, actor: "maria" });
    await endAssignment(sql, trainer, member, { actor: "maria" });
    await sql`vacuum (analyze) assignment.audit_log, assignment.audit_subjects`;
  });
  afterAll(() => database.drop());

  /** The buffers that a page reads. */
  async function measure(filter: AuditFilter, after?: string): Promise<number> {
    const query = selectAuditLines(sql, filter, { limit: 100, after });
    const [row] = await sql`explain (analyze, buffers, format json) ${query}`;
    const [{ Plan: plan }] = Object.values(row ?? {})[0] as [{ Plan: Record<string, number> }];
    return (plan["Shared Hit Blocks"] ?? 0) + (plan["Shared Read Blocks"] ?? 0);
  }

  it("is read by an index, whatever is asked for", async () => {
    const day = new Date(Date.now() - 86_400_000 * 600);
    const [middle] = await listAuditLines(sql, { to: day }, { limit: 1 });
    const filters: Record<string, AuditFilter> = {
      "all": {},
      "a common actor": { actor: "ops" },
      "a rare actor": { actor: "maria" },
      "nobody": { actor: "nobody" },
      "a common action": { action: "run.started" },
      "a rare action": { action: "audit.forgotten" },
      "an action that never was": { action: "session.ended" },
      "a subject": { subject: middle?.subject ?? "" },
      "a common trainer": { trainerId: trainer },
      "a rare trainer": { trainerId: rareTrainer },
      "a common trainer by a rare actor": { trainerId: trainer, actor: "maria" },
      "no such trainer": { trainerId: crypto.randomUUID() },
      "a member": { memberId: member },
      "a rare trainer as a member": { memberId: rareTrainer },
      "no such member": { memberId: crypto.randomUUID() },
      "until a day": { to: day },
      "from a day": { from: day },
      "an actor until a day": { actor: "maria", to: day },
      "an action of an hour": { action: "run.started", from: day, to: new Date(day.getTime() + 3_600_000) },
    };
    const slow: Record<string, number> = {};
    for (const [what, filter] of Object.entries(filters)) {
      for (const [where, after] of [["first page", undefined], ["a later page", middle?.id]] as const) {
        const buffers = await measure(filter, after);
        if (buffers > MOST_BUFFERS) slow[`${what}, ${where}`] = buffers;
      }
    }
    assertEquals(slow, {});
  });

  it("is streamed in chunks, each line once", async () => {
    let lines = 0;
    let last = Infinity;
    let outOfOrder = 0;
    for await (const chunk of streamAuditLines(sql, { actor: "maria" })) {
      for (const { at } of chunk) {
        if (at.getTime() > last) outOfOrder++;
        last = at.getTime();
      }
      lines += chunk.length;
    }
    assertEquals([lines, outOfOrder], [1002, 0]);
  });
});
