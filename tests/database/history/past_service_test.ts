import { assertEquals, assertObjectMatch } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { listAuditLines } from "../../../src/history/audit_lines.ts";
import { migrateUp } from "../../../src/database/migrate.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers } from "../../support/policies.ts";

const ASSIGNMENTS = "public.trainer_client_assignments";

describe("a change of assignments past the service", () => {
  let database: TestDatabase;
  let sql: Sql;
  let role: string;
  let anna: string;
  let ben: string;
  let one: string;
  let two: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = "", one = "", two = ""] = await addTrainers(sql, 4);
    for (const id of [one, two]) await assignClientToTrainer(sql, id, { trainerId: anna, actor: "ops" });
    // A role that has rights on the table alone. Roles are the server's: the name is this test's own.
    role = `app_${crypto.randomUUID().replaceAll("-", "")}`;
    await sql.unsafe(
      `create role ${role}; grant select, update, delete, truncate on ${ASSIGNMENTS} to ${role}`,
    );
  });
  afterEach(async () => {
    await sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`);
    await database.drop();
  });

  /** Does it as the application's role. */
  const asApplication = (statement: string, before = "") =>
    sql.begin(async (transaction) => {
      await transaction.unsafe(`set local role ${role}; ${before}`);
      await transaction.unsafe(statement);
    });
  const end = (memberId: string) => `
    update ${ASSIGNMENTS} set status = 'inactive' where client_id = '${memberId}' and trainer_id = '${anna}'
  `;
  const changes = async () =>
    (await listAuditLines(sql, {}, { limit: 100 }))
      .filter(({ action }) => /^(assignments|members)\./.test(action));
  const rowOf = async (memberId: string) => {
    const [row] = await sql`
      select status, ended_by, ended_because, ended_at is not null as has_end, notes
      from public.trainer_client_assignments
      where client_id = ${memberId} and trainer_id is not distinct from ${anna}
    `;
    return row;
  };

  it("leaves a line and the row with the database role, also after SET ROLE", async () => {
    await asApplication(end(one));
    assertObjectMatch({ ...await rowOf(one) }, {
      status: "inactive",
      endedBy: role,
      endedBecause: "direct",
      hasEnd: true,
    });
    const [line, ...others] = await changes();
    assertEquals(others, []);
    assertObjectMatch({ ...line }, {
      actor: role,
      databaseRole: role,
      action: "assignments.changed",
      memberId: one,
      trainerIds: [anna],
      requestId: null,
    });
    assertObjectMatch(line?.after ?? {}, { ended: 1, revived: 0, otherwise: 0 });
  });

  it("cannot hide behind the service's own setting", async () => {
    await asApplication(end(one), "set local assignment.by_service = 'on';");
    await asApplication(
      `delete from ${ASSIGNMENTS} where client_id = '${two}'`,
      "set assignment.by_service = 'on';",
    );
    assertEquals((await changes()).map(({ actor, action }) => [actor, action]), [
      [role, "assignments.deleted"],
      [role, "assignments.changed"],
    ]);
  });

  it("leaves one line for a statement, with counts and what a member is found by", async () => {
    await asApplication(`update ${ASSIGNMENTS} set notes = 'x' where trainer_id = '${anna}'`);
    const [line] = await changes();
    assertObjectMatch(line?.after ?? {}, { ended: 0, revived: 0, otherwise: 2 });
    assertEquals(line?.subject, null);
    for (const memberId of [one, two]) {
      assertEquals((await listAuditLines(sql, { memberId }, { limit: 1 }))[0]?.id, line?.id);
    }
  });

  it("leaves no line where nothing changed, and none for what the service changes itself", async () => {
    await asApplication(`update ${ASSIGNMENTS} set notes = notes`);
    await asApplication(`delete from ${ASSIGNMENTS} where false`);
    await sql`select assignment.end_assignment(${one}, ${anna}, 'ops')`;
    assertEquals(await changes(), []);
  });

  it("leaves a line for revived, moved, deleted and truncated assignments", async () => {
    await asApplication(end(one));
    await asApplication(`update ${ASSIGNMENTS} set status = 'active' where client_id = '${one}'`);
    await asApplication(
      `update ${ASSIGNMENTS} set trainer_id = '${ben}' where client_id = '${one}' and trainer_id = '${anna}'`,
    );
    await asApplication(`delete from ${ASSIGNMENTS} where client_id = '${one}'`);
    await asApplication(`truncate ${ASSIGNMENTS}`);
    const lines = (await changes()).reverse();
    assertEquals(lines.map(({ actor, action }) => [actor, action]), [
      [role, "assignments.changed"],
      [role, "assignments.changed"],
      [role, "assignments.changed"],
      [role, "assignments.deleted"],
      [role, "assignments.deleted"],
    ]);
    assertEquals(lines.map(({ after }) => after?.["ended"] ?? after?.["deleted"] ?? after?.["truncated"]), [
      1,
      0,
      0,
      2,
      true,
    ]);
    assertEquals(lines[1]?.after?.["revived"], 1);
    assertEquals(lines[2]?.trainerIds.toSorted(), [anna, ben].toSorted());
  });

  it("keeps what the other program says itself of who ended it", async () => {
    await asApplication(
      `update ${ASSIGNMENTS} set status = 'inactive', ended_by = 'crm' where client_id = '${one}' and trainer_id = '${anna}'`,
    );
    assertEquals((await rowOf(one))?.endedBy, "crm");
    assertEquals((await changes())[0]?.actor, role);
  });

  it("is told of once, as members.deleted with the role, when members go, trainers too", async () => {
    await sql`select assignment.end_assignment(${one}, ${anna}, 'ops')`;
    await sql`select assignment.end_assignment(${two}, ${anna}, 'ops')`;
    await sql.unsafe(`grant select, delete on public.members to ${role}`);
    await asApplication(`delete from public.members where id in ('${anna}', '${two}')`);
    const lines = await changes();
    assertEquals(lines.map(({ actor, action, after }) => [actor, action, after]), [
      [role, "members.deleted", { members: 2 }],
    ]);
    assertEquals(lines[0]?.trainerIds, []);
  });

  it("is no line where a member's id changes: the rows follow it", async () => {
    const newId = crypto.randomUUID();
    await sql`update public.members set id = ${newId} where id = ${one}`;
    assertEquals(await changes(), []);
    assertEquals((await rowOf(newId))?.status, "active");
  });

  it("is told of where row-level security hides members from the owner", async () => {
    await sql.unsafe(`
      grant all on schema public, assignment to ${role};
      alter table public.members enable row level security;
      alter table public.members force row level security;
    `);
    await sql.unsafe(
      `alter function assignment.tg_trainer_client_assignments__tell_change() owner to ${role}`,
    );
    await sql.unsafe(`grant all on all tables in schema assignment to ${role}`);
    await sql.unsafe(`grant execute on all functions in schema assignment to ${role}`);
    await sql.unsafe(end(one));
    assertEquals((await changes()).map(({ action }) => action), ["assignments.changed"]);
    await sql.unsafe(
      `alter function assignment.tg_trainer_client_assignments__tell_change() owner to postgres`,
    );
  });

  for (
    const [what, damage] of [
      ["dropped", "drop table assignment.audit_log cascade"],
      ["without its subjects", "drop table assignment.audit_subjects cascade"],
      [
        "refused by a trigger",
        "alter table assignment.audit_log add constraint nothing check (false) not valid",
      ],
      [
        "not to be written by the owner",
        "revoke execute on function assignment.record_audit from public; alter table assignment.audit_log rename to gone",
      ],
    ] as const
  ) {
    it(`goes on where the log is ${what}`, async () => {
      await sql.unsafe(damage);
      await asApplication(end(one));
      await asApplication(`delete from ${ASSIGNMENTS} where client_id = '${two}'`);
      await sql`delete from public.members where id = ${two}`;
      assertEquals((await rowOf(one))?.status, "inactive");
    });
  }

  it("is told of where what is kept of deleted members cannot be removed, and they go all the same", async () => {
    await sql.unsafe(`
      create function public.keep_all() returns trigger language plpgsql as $$ begin raise exception 'kept'; end $$;
      create trigger keep_all before delete on assignment.trainers execute function public.keep_all();
    `);
    await sql`delete from public.members where id = ${two}`;
    assertEquals((await changes()).map(({ action, after }) => [action, after]), [
      ["members.deleted", { members: 1 }],
    ]);
  });

  it("goes on where the log is locked", async () => {
    await database.newConnection().begin(async (other) => {
      await other`lock table assignment.audit_log in access exclusive mode`;
      await asApplication(end(one));
      await sql`delete from public.members where id = ${two}`;
    });
    assertEquals((await rowOf(one))?.status, "inactive");
    assertEquals(await changes(), []);
  });

  it("leaves its line where a trigger of the application refuses what we say on the row", async () => {
    await sql.unsafe(`
      create function public.keep_out() returns trigger language plpgsql as $$
      begin
        if new.ended_because = 'direct' then raise exception 'not that'; end if;
        return new;
      end $$;
      create trigger keep_out before update on ${ASSIGNMENTS} for each row execute function public.keep_out();
    `);
    await asApplication(end(one));
    assertObjectMatch({ ...await rowOf(one) }, { status: "inactive", endedBy: null });
    assertEquals((await changes()).map(({ actor, memberId }) => [actor, memberId]), [[role, one]]);
  });
});

describe("deleting a member of a partitioned table", () => {
  it("is told of by the table, and keeps nothing", async () => {
    const database = await testDatabase({ migrated: false });
    const { sql } = database;
    await sql.unsafe(`
      create table public.members (id uuid primary key, email text) partition by hash (id);
      create table public.members_0 partition of public.members for values with (modulus 2, remainder 0);
      create table public.members_1 partition of public.members for values with (modulus 2, remainder 1);
    `);
    await migrateUp(database.url);
    const [anna = "", one = ""] = await addTrainers(sql, 2);
    await assignClientToTrainer(sql, one, { trainerId: anna });
    await sql`delete from public.members where id = ${one}`;
    const [line] = await listAuditLines(sql, {}, { limit: 1 });
    assertEquals([line?.action, line?.after], ["members.deleted", { members: 1 }]);
    await database.drop();
  });
});
