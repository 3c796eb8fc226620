import { assertEquals, assertMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { z } from "zod";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  type MessageType,
} from "../../../src/webhooks/endpoints.ts";
import { readEvents } from "../../../src/webhooks/events.ts";
import { newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers } from "../../support/policies.ts";

const MemberIds = z.array(z.looseObject({ memberId: z.string() }));

describe("the outbox", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(() => database.drop());

  async function listen(types: MessageType[]): Promise<string> {
    return (await createEndpoint(sql, { id: newId(), types }, "ops")).id;
  }

  async function signUp(count: number): Promise<string[]> {
    const ids = newIds(count).toSorted();
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    return ids;
  }

  /** The messages, in order, with the ids of the members that they tell of. */
  async function readAll(): Promise<{ type: string; members: string[] }[]> {
    await untilEarlierTransactionsEnd();
    const { events } = await readEvents(sql, null, { limit: 1000 });
    return events.map(({ type, data: { assignments, members } }) => ({
      type,
      members: MemberIds.parse(assignments ?? members ?? []).map(({ memberId }) => memberId),
    }));
  }

  /** Messages are held back while an earlier transaction runs, be it in another database of the server. */
  async function untilEarlierTransactionsEnd(): Promise<void> {
    const [{ now }] = await sql<[{ now: string }]>`select pg_current_xact_id()::text as now`;
    for (;;) {
      const [{ hasEnded }] = await sql<[{ hasEnded: boolean }]>`
        select pg_snapshot_xmin(pg_current_snapshot()) > ${now}::text::xid8 as has_ended
      `;
      if (hasEnded) return;
    }
  }

  async function readTriggers(): Promise<string[]> {
    const rows = await sql<{ name: string }[]>`
      select tgname as name from pg_trigger where tgname like '%announce%' and tgenabled = 'O' order by tgname
    `;
    return rows.map(({ name }) => name);
  }

  it("costs a signup nothing while nobody wants to hear of it: its triggers are disabled", async () => {
    assertEquals(await readTriggers(), []);
    const id = await listen(["assignments.created"]);
    assertEquals((await readTriggers()).length, 2);
    await changeEndpoint(sql, id, { enabled: false }, "ops");
    assertEquals(await readTriggers(), []);
    await changeEndpoint(sql, id, { enabled: true, types: ["assignment.failed"] }, "ops");
    assertEquals(await readTriggers(), ["failures_announce_after_insert"]);
    await deleteEndpoint(sql, id, "ops");
    assertEquals(await readTriggers(), []);
  });

  it("has a message for each statement that assigned, of 500 members at most", async () => {
    await listen(["assignments.created"]);
    const one = await signUp(1);
    const many = await signUp(1200);
    const messages = await readAll();
    assertEquals(messages.map(({ members }) => members.length), [1, 500, 500, 200]);
    assertEquals(messages.flatMap(({ members }) => members).toSorted(), [...one, ...many].toSorted());
  });

  it("has only what is wanted", async () => {
    const ids = await signUp(1);
    await listen(["assignments.ended"]);
    await signUp(1);
    await endAssignment(sql, DEFAULT_TRAINER_ID, ids[0] ?? "");
    assertEquals(await readAll(), [{ type: "assignments.ended", members: ids }]);
  });

  it("tells of assignments by hand, and of rows that another program writes", async () => {
    await listen(["assignments.created", "assignments.ended"]);
    const [trainer = ""] = await addTrainers(sql, 1);
    const [id = ""] = await signUp(1);
    await assignClientToTrainer(sql, id, { trainerId: trainer });
    await sql`update public.trainer_client_assignments set status = 'inactive' where client_id = ${id}`;
    await sql`insert into public.trainer_client_assignments (trainer_id, client_id) values (${trainer}, ${id})`;
    assertEquals((await readAll()).filter(({ members }) => members.includes(id)), [
      { type: "assignments.created", members: [id] },
      { type: "assignments.created", members: [id] },
      { type: "assignments.ended", members: [id, id] },
      { type: "assignments.created", members: [id] },
    ]);
  });

  it("has nothing of a signup that was rolled back", async () => {
    await listen(["assignments.created"]);
    await sql.begin(async (transaction) => {
      await transaction`insert into public.members (id) values (${newId()})`;
      throw new Error("rolled back");
    }).catch(() => {});
    assertEquals(await readAll(), []);
  });

  it("forgets a member who is deleted", async () => {
    await listen(["assignments.created", "assignment.failed"]);
    const [one = "", two = ""] = await signUp(2);
    await sql`delete from public.members where id = ${one}`;
    assertEquals(await readAll(), [{ type: "assignments.created", members: [two] }]);
    await sql`delete from public.members where id = ${two}`;
    assertEquals(await readAll(), []);
  });

  it("never fails a signup: what it cannot write is recorded, and becomes a message later", async () => {
    await listen(["assignments.created"]);
    await sql`alter table assignment.outbox add constraint broken check (type <> 'assignments.created') not valid`;
    const ids = await signUp(3);
    const [gap] = await sql`select message from assignment.outbox_gaps`;
    assertMatch(gap?.message, /broken/);
    await sql`alter table assignment.outbox drop constraint broken`;
    const [tended] = await sql`select filled, forgotten, enabled from assignment.tend_outbox()`;
    assertEquals({ ...tended }, { filled: 1, forgotten: 0, enabled: 0 });
    assertEquals(await readAll(), [{ type: "assignments.created", members: ids }]);

    await sql`drop table assignment.outbox_gaps`;
    await sql`drop table assignment.outbox cascade`;
    assertEquals((await signUp(1)).length, 1);
  });
});
