import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { assertAssigned, countAssignments, countFailures, newId, newIds } from "../../support/assignments.ts";
import { copyMembers } from "../../support/copy.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";
import { runScript } from "../../support/psql.ts";
import { describeByPolicy } from "../../support/signup_policies.ts";

describeByPolicy("a member has one active assignment once inserted by", (policy) => {
  let database: TestDatabase;
  let sql: Sql;
  let observer: Sql; // another session: it sees what was committed
  beforeAll(async () => {
    database = await testDatabase();
    await policy.put(database.sql);
    sql = database.newConnection();
    observer = database.newConnection();
  });
  afterAll(() => database.drop());

  it("a single-row insert", async () => {
    const id = newId();
    await sql`insert into public.members (id) values (${id})`;
    await assertAssigned(observer, [id]);
  });

  it("an insert with nothing but defaults", async () => {
    const [member] = await sql<[{ id: string }]>`insert into public.members default values returning id`;
    await assertAssigned(observer, [member.id]);
  });

  it("a multi-row insert", async () => {
    const [one, two, three] = [newId(), newId(), newId()];
    await sql`insert into public.members (id) values (${one}), (${two}), (${three})`;
    await assertAssigned(observer, [one, two, three]);
  });

  it("insert … select", async () => {
    const ids = newIds(200);
    await sql`insert into public.members (id, email) select id, id || '@example.com' from unnest(${ids}::uuid[]) as new (id)`;
    await assertAssigned(observer, ids);
  });

  it("COPY", async () => {
    const ids = newIds(200);
    await copyMembers(sql, ids);
    await assertAssigned(observer, ids);
  });

  it("insert … returning", async () => {
    const members = await sql<
      { id: string }[]
    >`insert into public.members (email) values ('a'), ('b') returning id`;
    await assertAssigned(observer, members.map(({ id }) => id));
  });

  it("an insert inside a CTE, whose member the outer statement uses", async () => {
    const id = newId();
    await sql`create table public.profiles (member_id uuid primary key)`;
    await sql`
      with member as (insert into public.members (id) values (${id}) returning id)
      insert into public.profiles select id from member
    `;
    await assertAssigned(observer, [id]);
  });

  it("a CTE that makes the assignment by hand", async () => {
    const id = newId();
    await sql`
      with member as (insert into public.members (id) values (${id}) returning id)
      insert into public.trainer_client_assignments (trainer_id, client_id)
      select ${DEFAULT_TRAINER_ID}, id from member
    `;
    const rows = await observer`
      select status, source from public.trainer_client_assignments where client_id = ${id}
    `;
    assertEquals([...rows], [{ status: "active", source: "manual" }]);
  });

  it("MERGE", async () => {
    const ids = newIds(3);
    await sql`
      merge into public.members m
      using unnest(${ids}::uuid[]) as new (id) on m.id = new.id
      when not matched then insert (id) values (new.id)
    `;
    await assertAssigned(observer, ids);
  });

  it("a prepared statement, each time", async () => {
    const [one, two] = [newId(), newId()];
    await sql`prepare signup (uuid) as insert into public.members (id) values ($1)`.simple();
    await sql.unsafe(`execute signup ('${one}')`);
    await sql.unsafe(`execute signup ('${two}')`);
    await assertAssigned(observer, [one, two]);
  });

  it("an insert through a view", async () => {
    const id = newId();
    await sql`create view public.people as select id, email from public.members`;
    await sql`insert into public.people (id) values (${id})`;
    await assertAssigned(observer, [id]);
  });

  it("an insert inside a function", async () => {
    const id = newId();
    await sql.unsafe(
      `create function public.sign_up(uuid) returns void language sql as 'insert into public.members (id) values ($1)'`,
    );
    await sql`select public.sign_up(${id})`;
    await assertAssigned(observer, [id]);
  });

  it("psql, two statements in one script", async () => {
    const [one, two] = [newId(), newId()];
    await runScript(
      database.url,
      `insert into public.members (id) values ('${one}'); insert into public.members (id) values ('${two}');`,
    );
    await assertAssigned(observer, [one, two]);
  });

  it("a session that is open while the table's columns change", async () => {
    const ids = newIds(3);
    const changes = [
      "add column score numeric default 1",
      "alter column score type text",
      "drop column score",
    ];
    for (const [index, id] of ids.entries()) {
      await sql`insert into public.members (id) values (${id})`;
      await observer.unsafe(`alter table public.members ${changes[index]}`);
    }
    ids.push(newId());
    await sql`insert into public.members (id) values (${ids.at(-1) ?? ""})`;
    await assertAssigned(observer, ids);
  });

  it("on conflict do nothing, and only the rows that were inserted", async () => {
    const [unseen, inserted] = [newId(), newId()];
    await withoutTrigger(
      sql,
      (tx) => tx`insert into public.members (id) values (${unseen})`,
    );
    await sql`insert into public.members (id) values (${unseen}), (${inserted}) on conflict (id) do nothing`;
    await assertAssigned(observer, [inserted]);
    assertEquals(await countAssignments(observer, [unseen]), 0);
  });

  it("on conflict do update, and only the rows that were inserted", async () => {
    const [unseen, inserted] = [newId(), newId()];
    await withoutTrigger(
      sql,
      (tx) => tx`insert into public.members (id) values (${unseen})`,
    );
    await sql`
      insert into public.members (id, email)
      values (${unseen}, 'new@example.com'), (${inserted}, 'new@example.com')
      on conflict (id) do update set email = excluded.email
    `;
    await assertAssigned(observer, [inserted]);
    assertEquals(await countAssignments(observer, [unseen]), 0);
  });

  it("MERGE that also updates and deletes, and only the rows that were inserted", async () => {
    const [updated, deleted, inserted] = [newId(), newId(), newId()];
    await withoutTrigger(sql, async (tx) => {
      await tx`insert into public.members (id) values (${updated}), (${deleted})`;
    });
    await sql`
      merge into public.members m
      using (values (${updated}::uuid, false), (${deleted}::uuid, true), (${inserted}::uuid, false)) as new (id, gone)
      on m.id = new.id
      when matched and new.gone then delete
      when matched then update set email = 'merged@example.com'
      when not matched then insert (id) values (new.id)
    `;
    await assertAssigned(observer, [inserted]);
    assertEquals(await countAssignments(observer, [updated, deleted]), 0);
  });
});

describeByPolicy("a statement on members that adds no client", (policy) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    await policy.put(database.sql);
  });
  afterAll(() => database.drop());

  it("may insert zero rows", async () => {
    const { count } = await database
      .sql`insert into public.members (id) select gen_random_uuid() where false`;
    assertEquals([count, await countFailures(database.sql)], [0, 0]);
  });

  it("may copy zero rows", async () => {
    await copyMembers(database.sql, []);
    assertEquals(await countFailures(database.sql), 0);
  });

  it("may insert the trainer, who becomes nobody's client", async () => {
    await database.sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
    assertEquals(await countAssignments(database.sql, [DEFAULT_TRAINER_ID]), 0);
    assertEquals(await countFailures(database.sql), 0);
  });

  it("may insert the trainer together with their first clients, who are assigned", async () => {
    const ids = newIds(2);
    await database.sql`delete from public.members where id = ${DEFAULT_TRAINER_ID}`;
    await database.sql`insert into public.members (id) select unnest(${[
      ...ids,
      DEFAULT_TRAINER_ID,
    ]}::uuid[])`;
    await assertAssigned(database.sql, ids);
    assertEquals(await countAssignments(database.sql, [DEFAULT_TRAINER_ID]), 0);
  });

  it("may update members, whose assignments stay as they are", async () => {
    const ids = newIds(1);
    await database.sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await database.sql`update public.members set email = 'changed@example.com'`;
    await assertAssigned(database.sql, ids);
  });

  it("may insert members whom a trigger of the application deletes at once", async () => {
    await database.sql.unsafe(`
      create function public.refuse_member() returns trigger language plpgsql as
        'begin delete from public.members where id = new.id; return null; end';
      create trigger refuse_member after insert on public.members for each row
        when (new.email = 'spam@example.com') execute function public.refuse_member();
    `);
    const ids = newIds(2);
    await database.sql`
      insert into public.members (id, email) values (${ids[0] ?? ""}, 'spam@example.com'), (${
      ids[1] ?? ""
    }, 'fine@example.com')
    `;
    await assertAssigned(database.sql, ids.slice(1));
  });
});
