/** The audit log on a cluster: changes past the service have their lines, those by hand come with them. */
import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../src/assignments/assign.ts";
import type { Sql } from "../../src/database/sql.ts";
import { type AuditLine, listAuditLines } from "../../src/history/audit_lines.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { newIds } from "../support/assignments.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";

describe("the audit log on a cluster", () => {
  const role = `crm_${crypto.randomUUID().slice(0, 8)}`;
  let database: CitusDatabase;
  let sql: Sql;
  let service: Sql;
  let began: Date;
  beforeAll(async () => {
    database = await citusDatabase();
    sql = database.sql;
    service = await database.newServicePool();
    await sql.unsafe(`create role ${role} login password '${new URL(database.url).password}'`);
    await sql.unsafe(
      `grant select, insert, update, delete on public.members, public.trainer_client_assignments to ${role}`,
    );
  });
  beforeEach(async () => {
    await sql`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 100)`;
    await listAuditLines(service, {}, { limit: 1 });
    began = new Date();
  });
  afterAll(async () => {
    await sql.unsafe(`drop owned by ${role}; drop role ${role}`).catch(() => {});
    await database.drop();
  });

  const asApplication = (statement: string) =>
    sql.begin(async (transaction) => {
      await transaction.unsafe(`set local role ${role}`);
      await transaction.unsafe(statement);
    });
  const readLines = () => listAuditLines(service, { from: began }, { limit: 1000 });
  const sum = (lines: AuditLine[], count: string) =>
    lines.reduce((total, { after }) => total + Number(after?.[count] ?? 0), 0);

  it("has who changed assignments past the service, how many and which", async () => {
    await asApplication("update public.trainer_client_assignments set status = 'inactive'");
    const ended = await readLines();
    assertEquals(
      new Set(ended.map(({ action, actor, databaseRole }) => `${action} ${actor} ${databaseRole}`)),
      new Set([
        `assignments.changed ${role} ${role}`,
      ]),
    );
    assertEquals([sum(ended, "ended"), sum(ended, "otherwise")], [100, 0]);
    const ids = await sql<{ id: string; endedBy: string }[]>`
      select id, ended_by from public.trainer_client_assignments order by id
    `;
    assertEquals(ended.flatMap(({ after }) => after?.["assignmentIds"]).toSorted(), ids.map(({ id }) => id));
    assertEquals(new Set(ids.map(({ endedBy }) => endedBy)), new Set([role]));
    const found = await listAuditLines(service, { subject: `assignment:${ids[0]?.id}` }, { limit: 10 });
    assertEquals(found.length, 1);

    began = new Date();
    await asApplication("update public.trainer_client_assignments set notes = notes");
    assertEquals(await readLines(), []);
    await asApplication(
      "delete from public.trainer_client_assignments where client_id < '80000000-0000-0000-0000-000000000000'",
    );
    const deleted = await readLines();
    assertEquals(
      sum(deleted, "deleted"),
      100 - (await sql`select from public.trainer_client_assignments`).length,
    );
    assertEquals(new Set(deleted.map(({ action }) => action)), new Set(["assignments.deleted"]));
  });

  it("has one line of a table that was emptied", async () => {
    await sql`truncate public.trainer_client_assignments`;
    assertEquals((await readLines()).map(({ action, after }) => [action, after]), [
      ["assignments.deleted", { truncated: true }],
    ]);
  });

  it("has how many members were deleted, and no line of what went with them", async () => {
    await asApplication(`delete from public.members where id <> '${DEFAULT_TRAINER_ID}'`);
    const lines = await readLines();
    assertEquals(
      new Set(lines.map(({ action, actor }) => `${action} ${actor}`)),
      new Set([`members.deleted ${role}`]),
    );
    assertEquals(sum(lines, "members"), 100);
  });

  it("has nothing of what was rolled back", async () => {
    await sql.begin(async (transaction) => {
      await transaction`update public.trainer_client_assignments set status = 'inactive'`;
      await transaction`delete from public.members where id <> ${DEFAULT_TRAINER_ID}`;
      throw new Error("rolled back");
    }).catch(() => {});
    assertEquals(await readLines(), []);
  });

  it("has the line of an assignment by hand with it, or there is neither", async () => {
    const [trainer = "", member = ""] = newIds(2);
    await sql`insert into public.members ${sql([{ id: trainer }, { id: member }])}`;
    const count = async () =>
      (await sql`
      select from public.trainer_client_assignments where trainer_id = ${trainer} and status = 'active'
    `).length;
    await sql.unsafe(`
      create function public.break_log() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$
    `);
    await sql.unsafe(
      `create trigger break_log before insert on assignment.audit_log for each row execute function public.break_log()`,
    );
    await assertRejects(
      () => assignClientToTrainer(service, member, { trainerId: trainer }),
      Error,
      "planted",
    );
    assertEquals(await count(), 0);
    await sql`drop trigger break_log on assignment.audit_log`;

    const prepared = async () => (await sql`select from pg_dist_transaction`).length;
    const before = await prepared();
    await assignClientToTrainer(service, member, { trainerId: trainer, actor: "ops" });
    await endAssignment(service, trainer, member, { actor: "ops" });
    assertEquals(await prepared() - before, 2); // the coordinator and the member's node commit in two phases
    assertEquals((await readLines()).map(({ action, actor }) => [action, actor]), [
      ["assignment.ended", "ops"],
      ["assignment.made", "ops"],
    ]);
  });
});
