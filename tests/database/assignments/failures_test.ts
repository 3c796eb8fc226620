import { assert, assertEquals, assertExists } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { listFailures, retryDueFailures } from "../../../src/assignments/failures.ts";
import { setDefaultTrainer } from "../../../src/policy/policies.ts";
import {
  assignNewUserToTrainer,
  DEFAULT_TRAINER_ID,
  endAssignment,
  getAssignment,
} from "../../../src/trainer_assignment.ts";
import { countAssignments, newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";
import { makeDue } from "../../support/failures.ts";

describe("a failed auto-assignment", () => {
  let database: TestDatabase;
  let sql: Sql;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    id = newId();
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) values (${id})`;
  });
  afterEach(() => database.drop());

  it("is recorded with member, reason, time and source", async () => {
    const [failure, ...others] = await listFailures(sql, { limit: 10 });
    assertExists(failure);
    const { firstFailedAt, lastFailedAt, nextAttemptAt, ...recorded } = failure;
    assertEquals(recorded, {
      memberId: id,
      trainerId: DEFAULT_TRAINER_ID,
      sqlstate: "P0001",
      message: `member ${id} is refused`,
      source: "trigger",
      attempts: 1,
    });
    assertEquals(firstFailedAt, lastFailedAt);
    assertEquals(nextAttemptAt.getTime() - lastFailedAt.getTime(), 15_000);
    assertEquals(others, []);
  });

  it("is recorded with the first 1,000 characters of a long message", async () => {
    await sql.unsafe(`
      create or replace function public.refuse_assignment() returns trigger language plpgsql
        as $$ begin raise exception '%', repeat('é', 5000); end $$
    `);
    await sql`insert into public.members default values`;
    const failures = await listFailures(sql, { limit: 10 });
    assert(failures.some(({ message }) => message === "é".repeat(1000)));
  });

  it("is not tried again before its time", async () => {
    assertEquals(await retryDueFailures(sql), { retried: 0, succeeded: 0, failed: 0 });
  });

  it("waits 15 s, then twice as long each time, up to an hour", async () => {
    const waits = [];
    for (const attempt of Array(12).keys()) {
      if (attempt > 0) {
        await makeDue(sql);
        assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 0, failed: 1 });
      }
      const [failure] = await sql`
        select attempts, extract(epoch from next_attempt_at - last_failed_at)::integer as seconds
        from assignment.failures
      `;
      assertEquals(failure?.attempts, attempt + 1);
      waits.push(failure?.seconds);
    }
    assertEquals(waits, [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
  });

  it("keeps the time of its first attempt and takes the reason of its last", async () => {
    const [before] = await listFailures(sql, { limit: 1 });
    await refuseAssignments(sql, "true", "P0002");
    await makeDue(sql);
    await retryDueFailures(sql);
    const [after] = await listFailures(sql, { limit: 1 });
    assertExists(before);
    assertExists(after);
    assertEquals([after.sqlstate, after.source, after.firstFailedAt], [
      "P0002",
      "trigger",
      before.firstFailedAt,
    ]);
    assert(after.lastFailedAt > before.lastFailedAt);
  });

  it("is gone once a retry has assigned the member", async () => {
    await acceptAssignments(sql);
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 1, failed: 0 });
    assertEquals(await listFailures(sql, { limit: 1 }), []);
    const { assignment } = await getAssignment(sql, id);
    assertEquals(assignment?.source, "retry");
  });

  it("is gone once a retry has found the member already assigned", async () => {
    await acceptAssignments(sql);
    await sql`insert into public.trainer_client_assignments (trainer_id, client_id) values (${DEFAULT_TRAINER_ID}, ${id})`;
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 1, failed: 0 });
    assertEquals(await listFailures(sql, { limit: 1 }), []);
    assertEquals(await countAssignments(sql, [id]), 1);
  });

  it("is gone once the member is deleted", async () => {
    await sql`delete from public.members where id = ${id}`;
    assertEquals(await listFailures(sql, { limit: 1 }), []);
  });

  it("is gone once a retry has found the member deleted, where no trigger saw it", async () => {
    await acceptAssignments(sql);
    await sql`alter table public.members disable trigger members_forget_after_delete`;
    await sql`delete from public.members where id = ${id}`;
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 1, failed: 0 });
    assertEquals(await listFailures(sql, { limit: 1 }), []);
  });

  it("is gone once a retry has found that the member is now the trainer", async () => {
    await acceptAssignments(sql);
    await setDefaultTrainer(sql, id, "test");
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 1, failed: 0 });
    assertEquals(await countAssignments(sql, [id]), 0);
  });

  it("does not revive an assignment that was ended meanwhile", async () => {
    await acceptAssignments(sql);
    await sql`insert into public.trainer_client_assignments (trainer_id, client_id) values (${DEFAULT_TRAINER_ID}, ${id})`;
    await endAssignment(sql, DEFAULT_TRAINER_ID, id);
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 1, failed: 0 });
    assertEquals((await getAssignment(sql, id)).assigned, false);
  });

  it("is retried with the default trainer at that time", async () => {
    const newTrainerId = newId();
    await sql`insert into public.members (id) values (${newTrainerId})`;
    await setDefaultTrainer(sql, newTrainerId, "test");
    await acceptAssignments(sql);
    await makeDue(sql);
    await retryDueFailures(sql);
    assertEquals((await getAssignment(sql, id, newTrainerId)).assigned, true);
    assertEquals((await getAssignment(sql, id, DEFAULT_TRAINER_ID)).assigned, false);
  });

  it("keeps waiting while no default trainer is configured", async () => {
    await acceptAssignments(sql);
    await sql`delete from assignment.settings`;
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 0, failed: 1 });
    const [failure] = await listFailures(sql, { limit: 1 });
    assertEquals([failure?.sqlstate, failure?.trainerId], ["TA001", null]);
  });

  it("counts an attempt by a program, and restarts its wait", async () => {
    await makeDue(sql);
    await retryDueFailures(sql);
    await assignNewUserToTrainer(sql, id);
    const [failure] = await listFailures(sql, { limit: 1 });
    assertExists(failure);
    assertEquals([failure.attempts, failure.source], [3, "signup"]);
    assertEquals(failure.nextAttemptAt.getTime() - failure.lastFailedAt.getTime(), 15_000);
  });
});
