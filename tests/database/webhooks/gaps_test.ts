import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { createEndpoint } from "../../../src/webhooks/endpoints.ts";
import { tendOutbox } from "../../../src/webhooks/queue.ts";
import { newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";

describe("an outbox that cannot be written", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    await createEndpoint(sql, {
      id: crypto.randomUUID(),
      types: ["assignments.created", "assignments.ended", "assignment.failed", "policy.changed"],
    }, "ops");
  });
  afterEach(() => database.drop());

  async function signUp(count: number): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    return ids;
  }

  async function countAssigned(): Promise<number> {
    const [row] = await sql<[{ count: number }]>`select count(*) from public.trainer_client_assignments`;
    return row.count;
  }

  async function countTold(table: "outbox" | "outbox_gaps"): Promise<number> {
    const [row] = await sql<[{ count: number }]>`
      select coalesce(sum(coalesce(cardinality(assignment_ids), cardinality(member_ids))), 0)::integer as count
      from ${sql(`assignment.${table}`)}
    `;
    return row.count;
  }

  const causes: Record<string, [brings: string, lifts: string]> = {
    "it has another name": [
      "alter table assignment.outbox rename to elsewhere",
      "alter table assignment.elsewhere rename to outbox",
    ],
    "the disk is full": [
      `create function public.disk_full() returns trigger language plpgsql
         as $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
       create trigger disk_full before insert on assignment.outbox execute function public.disk_full()`,
      "drop function public.disk_full() cascade",
    ],
    "a column is gone": [
      "alter table assignment.outbox rename column type to kind",
      "alter table assignment.outbox rename column kind to type",
    ],
  };
  for (const [cause, [brings, lifts]] of Object.entries(causes)) {
    it(`because ${cause} fails no signup, and tells of all of them later`, async () => {
      await sql.unsafe(brings);
      await signUp(3);
      await sql`update public.trainer_client_assignments set status = 'inactive'`;
      assertEquals(await countAssigned(), 3);
      await sql.unsafe(lifts);
      assertEquals(await countTold("outbox"), 0);
      assertEquals(await tendOutbox(sql), { filled: 2, forgotten: 0, enabled: 0 });
      assertEquals([await countTold("outbox"), await countTold("outbox_gaps")], [6, 0]);
    });
  }

  it("because it is locked keeps a signup waiting for a moment, and tells of it later", async () => {
    await sql.begin(async (locker) => {
      await locker`lock table assignment.outbox in access exclusive mode`;
      const session = database.newConnection();
      await session`insert into public.members (id) values (${crypto.randomUUID()})`;
      assertEquals([await countAssigned(), await countTold("outbox_gaps")], [1, 1]);
    });
    await tendOutbox(sql);
    assertEquals([await countTold("outbox"), await countTold("outbox_gaps")], [1, 0]);
  });

  it("keeps its gaps, and is not tried for each of them", async () => {
    await sql`alter table assignment.outbox add constraint broken check (type <> 'assignments.created') not valid`;
    for (let statement = 0; statement < 3; statement++) await signUp(1);
    assertEquals(await tendOutbox(sql), { filled: 0, forgotten: 0, enabled: 0 });
    assertEquals(await countTold("outbox_gaps"), 3);
  });

  it("loses no gap, also where its gaps cannot be written either", async () => {
    await sql`alter table assignment.outbox add constraint broken check (type <> 'assignments.created') not valid`;
    for (let statement = 0; statement < 3; statement++) await signUp(1);
    await sql`alter table assignment.outbox_gaps add constraint broken check (id < 0) not valid`;
    assertEquals(await tendOutbox(sql), { filled: 0, forgotten: 0, enabled: 0 });
    assertEquals(await countTold("outbox_gaps"), 3);
    await sql`alter table assignment.outbox drop constraint broken`;
    assertEquals(await tendOutbox(sql), { filled: 3, forgotten: 0, enabled: 0 });
  });

  it("does not keep what else is kept of a member who is deleted", async () => {
    await refuseAssignments(sql, "true");
    const [one = "", two = ""] = await signUp(2);
    await acceptAssignments(sql);
    await sql`alter table assignment.outbox rename to elsewhere`;
    await sql`delete from public.members where id = ${one}`;
    await sql`alter table assignment.elsewhere rename to outbox`;
    const kept = await sql`select member_id from assignment.failures`;
    assertEquals(kept.map(({ memberId }) => memberId), [two]);
    const lines = await sql`select after from assignment.audit_log where action = 'members.deleted'`;
    assertEquals(lines.map(({ after }) => after), [{ members: 1 }]);

    await sql`select assignment.forget_gone_members()`;
    assertEquals(await listTold(), [two]);
  });

  it("names no member who is deleted before it is told of", async () => {
    await sql`alter table assignment.outbox rename to elsewhere`;
    await refuseAssignments(sql, "true");
    const [one = "", two = ""] = await signUp(2);
    await sql`alter table assignment.elsewhere rename to outbox`;
    await sql`delete from public.members where id = ${one}`;
    await tendOutbox(sql);
    assertEquals(await listTold(), [two]);
  });

  async function listTold(): Promise<string[]> {
    const rows = await sql<{ id: string }[]>`select unnest(member_ids) as id from assignment.outbox`;
    return rows.map(({ id }) => id);
  }
});
