import { assertEquals, assertGreater } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assignClientToTrainer, endAssignment } from "../../../src/assignments/assign.ts";
import { listFailures } from "../../../src/assignments/failures.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { changeTrainer } from "../../../src/policy/trainers.ts";
import { getRun, pauseRun, retryRun, startBackfill, startTransfer } from "../../../src/runs/runs.ts";
import { driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import {
  acceptAssignments,
  addUnseenMembers,
  refuseAssignments,
  withoutTrigger,
} from "../../support/members.ts";
import { addTrainers, among, putRules } from "../../support/policies.ts";

const NAME = "Quirina Quux";
const EMAIL = "quirina@quux.example";
const NOTE = "has a bad knee";
/** Greater than all others, so that a run ends with it. */
const LAST_ID = "fffffffe-feed-4bed-9bad-c0ffee123456";

describe("what is kept of a member", () => {
  let database: TestDatabase;
  let sql: Sql;
  let anna: string;
  let ben: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    [anna = "", ben = ""] = await addTrainers(sql, 2);
  });
  afterEach(() => database.drop());

  const addMember = () =>
    sql`insert into public.members (id, email, display_name) values (${LAST_ID}, ${EMAIL}, ${NAME})`;

  /** Every table and column that has one of the texts. */
  async function search(...texts: string[]): Promise<string[]> {
    const columns = await sql<{ place: string; tableName: string; columnName: string }[]>`
      select
        c.oid::regclass::text || '.' || a.attname as place,
        c.oid::regclass::text as table_name,
        quote_ident(a.attname) as column_name
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace in ('public'::regnamespace, 'assignment'::regnamespace)
        and c.relkind in ('r', 'p', 'm')
    `;
    const found: string[] = [];
    for (const { place, tableName, columnName } of columns) {
      const rows = await sql`
        select
        from ${sql.unsafe(tableName)}
        where exists (
          select from unnest(${texts}::text[]) as sought (text)
          where ${sql.unsafe(columnName)}::text ilike '%' || sought.text || '%'
        )
        limit 1
      `;
      if (rows.length > 0) found.push(place);
    }
    return found.sort();
  }

  /** Puts a client into every table that can hold one. */
  async function fillIn(): Promise<void> {
    await refuseAssignments(sql, `new.client_id = '${LAST_ID}'`);
    await addMember();
    assertEquals((await listFailures(sql, { limit: 10 })).map(({ memberId }) => memberId), [LAST_ID]);
    const refused = await runBackfill(sql, { batchRows: 1 });
    assertEquals(refused.errors.map(({ memberId }) => memberId), [LAST_ID]);
    await retryRun(sql, refused.id, "ops").then((run) => pauseRun(sql, run.id, "ops"));
    await acceptAssignments(sql);

    await assignClientToTrainer(sql, LAST_ID, { trainerId: anna, notes: NOTE, actor: "ops" });
    await startTransfer(sql, {
      fromTrainerId: anna,
      trainerId: ben,
      memberIds: [LAST_ID],
      requestedBy: "ops",
    }).then((run) => driveToEnd(sql, run));
    await endAssignment(sql, ben, LAST_ID, { actor: "ops" });
    await assignClientToTrainer(sql, LAST_ID, { trainerId: anna, notes: NOTE });
    await sql`update public.trainer_client_assignments set notes = ${NOTE} || '!' where client_id = ${LAST_ID}`;
    await refuseAssignments(sql, "true");
    await sql`select assignment.assign_or_record(array[${LAST_ID}]::uuid[], 'signup', ${ben}::uuid)`;
    await acceptAssignments(sql);

    // The cursor of a paused run stands at the member, and another run's statistics and bounds are of the member.
    const paused = await startBackfill(sql, { requestedBy: "ops", trainerId: ben, batchRows: 1 });
    while ((await search(LAST_ID)).every((place) => place !== "assignment.backfill_lanes.next_id")) {
      await sql`select assignment.backfill_step(${paused.id})`;
    }
    await pauseRun(sql, paused.id, "ops");
  }

  it("goes with the member when a client is deleted: neither id, name, e-mail nor notes are anywhere", async () => {
    await fillIn();
    assertEquals(await search(LAST_ID, NAME, EMAIL, NOTE), [
      "assignment.backfill_errors.member_id",
      "assignment.backfill_errors.message",
      "assignment.backfill_lanes.next_id",
      "assignment.backfill_selected.member_id",
      "assignment.failures.member_id",
      "assignment.failures.message",
      "members.display_name",
      "members.email",
      "members.id",
      "trainer_client_assignments.client_id",
      "trainer_client_assignments.notes",
    ]);
    await sql`delete from public.members where id = ${LAST_ID}`;
    assertEquals(await search(LAST_ID, NAME, EMAIL, NOTE), []);
  });

  it("goes with the nightly run when no trigger saw the client deleted", async () => {
    await fillIn();
    await withoutTrigger(sql, async (transaction) => {
      await transaction`delete from public.trainer_client_assignments where client_id = ${LAST_ID}`;
      await transaction`delete from public.members where id = ${LAST_ID}`;
    });
    assertGreater((await search(LAST_ID)).length, 0);
    await sql`select assignment.reconcile(now())`;
    assertEquals(await search(LAST_ID, NAME, EMAIL, NOTE), []);
  });

  it("lets runs go on whose cursor stood at the deleted member", async () => {
    await fillIn();
    const [{ id }] = await sql<[{ id: string }]>`
      select id from assignment.backfill_runs where status = 'paused' and trainer_id = ${ben}
    `;
    await sql`delete from public.members where id = ${LAST_ID}`;
    await sql`select assignment.change_backfill_status(${id}, 'running', 'ops')`;
    const run = await driveToEnd(sql, await getRun(sql, id));
    assertEquals([run.status, run.remaining], ["succeeded", 0]);
  });

  it("leaves bare ids of a deleted trainer, where they say what was decided", async () => {
    await addMember();
    await changeTrainer(sql, LAST_ID, { capacity: 50, note: NOTE }, "ops");
    await putRules(sql, [{ name: "Everybody", assign: among("spread", [LAST_ID]) }]);
    const clients = await addTrainers(sql, 2);
    await addUnseenMembers(sql, 2);
    await runBackfill(sql);
    await putRules(sql, []);
    await endAssignment(sql, LAST_ID, ben, { actor: "ops" });
    await startTransfer(sql, { fromTrainerId: LAST_ID, trainerId: ben, requestedBy: "ops" })
      .then((run) => driveToEnd(sql, run));
    await assignClientToTrainer(sql, clients[0] ?? "", { trainerId: LAST_ID, actor: "ops", force: true });
    await endAssignment(sql, LAST_ID, clients[0] ?? "", { actor: "ops" });

    await sql`delete from public.members where id = ${LAST_ID}`;
    assertEquals(await search(NAME, EMAIL, NOTE), []);
    assertEquals(await search(LAST_ID), [
      "assignment.audit_log.after",
      "assignment.audit_log.before",
      "assignment.audit_log.subject",
      "assignment.audit_log.trainer_ids",
      "assignment.audit_subjects.subject",
      "assignment.backfill_choices.trainer_id",
      "assignment.backfill_runs.from_trainer_id",
      "assignment.policies.document",
      "assignment.policy_rules.trainer_ids",
    ]);
  });
});
