import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { listFailures, retryDueFailures, retryFailures } from "../../../src/assignments/failures.ts";
import { countAssignments, countFailures, newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { makeDue } from "../../support/failures.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";

describe("a retry of failures", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterEach(() => database.drop());

  async function fail(ids: string[]): Promise<void> {
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    await acceptAssignments(sql);
  }

  it("assigns the others when one fails again", async () => {
    const [poison, ...others] = newIds(20);
    await fail([poison ?? "", ...others]);
    await refuseAssignments(sql, `new.client_id = '${poison}'`);
    await makeDue(sql);
    assertEquals(await retryDueFailures(sql), { retried: 20, succeeded: 19, failed: 1 });
    assertEquals((await listFailures(sql, { limit: 10 })).map(({ memberId }) => memberId), [poison]);
    assertEquals(await countAssignments(sql, others), 19);
  });

  it("assigns the others when another session holds one locked", async () => {
    const [locked, ...others] = newIds(20);
    await fail([locked ?? "", ...others]);
    await makeDue(sql);
    await database.newConnection().begin(async (locker) => {
      await locker`select from public.members where id = ${locked ?? ""} for update`;
      assertEquals(await retryDueFailures(sql), { retried: 20, succeeded: 19, failed: 1 });
    });
    const [failure] = await listFailures(sql, { limit: 10 });
    assertEquals([failure?.memberId, failure?.sqlstate], [locked, "55P03"]);
  });

  it("keeps all when the assignments table is locked", async () => {
    await fail(newIds(20));
    await makeDue(sql);
    await database.newConnection().begin(async (locker) => {
      await locker`lock table public.trainer_client_assignments in access exclusive mode`;
      assertEquals(await retryDueFailures(sql), { retried: 20, succeeded: 0, failed: 20 });
    });
    assertEquals(await countFailures(sql), 20);
  });

  it("leaves members that another one retries to it", async () => {
    const ids = newIds(5);
    await fail(ids);
    await makeDue(sql);
    await database.newConnection().begin(async (other) => {
      const [taken] = await other`select retried, succeeded, failed from assignment.retry_failures(2)`;
      assertEquals(taken, { retried: 2, succeeded: 2, failed: 0 });
      assertEquals(await retryDueFailures(sql), { retried: 3, succeeded: 3, failed: 0 });
    });
    assertEquals([await countFailures(sql), await countAssignments(sql, ids)], [0, 5]);
  });

  it("counts each failure once when eight retry at the same time", async () => {
    const ids = newIds(4_000);
    await fail(ids);
    await makeDue(sql);
    const results = await Promise.all(
      Array.from({ length: 8 }, () => retryDueFailures(database.newConnection())),
    );
    assertEquals(results.reduce((sum, { retried }) => sum + retried, 0), 4_000);
    assertEquals([await countFailures(sql), await countAssignments(sql, ids)], [0, 4_000]);
  });

  it("takes those first that have waited longest", async () => {
    const [late, early] = [newId(), newId()];
    await fail([late, early]);
    await sql`update assignment.failures set next_attempt_at = now() - interval '1 minute' where member_id = ${late}`;
    await sql`update assignment.failures set next_attempt_at = now() - interval '1 hour' where member_id = ${early}`;
    await sql`select assignment.retry_failures(1)`;
    assertEquals([await countAssignments(sql, [early]), await countAssignments(sql, [late])], [1, 0]);
  });

  it("of all includes those whose time has not come, in more than one batch", async () => {
    const ids = newIds(1_200);
    await fail(ids);
    assertEquals(await retryFailures(sql), { retried: 1_200, succeeded: 1_200, failed: 0, remaining: 0 });
    assertEquals([await countFailures(sql), await countAssignments(sql, ids)], [0, 1_200]);
  });

  it("of all tries each once, when all fail again", async () => {
    await fail(newIds(1_200));
    await refuseAssignments(sql, "true");
    assertEquals(await retryFailures(sql), { retried: 1_200, succeeded: 0, failed: 1_200, remaining: 0 });
    assertEquals([...await sql`select distinct attempts from assignment.failures`], [{ attempts: 2 }]);
  });

  it("of all includes those of every requested trainer", async () => {
    const trainers = newIds(3);
    await sql`insert into public.members (id) select unnest(${trainers}::uuid[])`;
    const ids = newIds(6);
    await fail(ids);
    await sql`
      update assignment.failures f set requested_trainer_id = asked.trainer_id
      from unnest(${ids.slice(0, 3)}::uuid[], ${trainers}::uuid[]) as asked (member_id, trainer_id)
      where f.member_id = asked.member_id
    `;
    assertEquals(await retryFailures(sql), { retried: 6, succeeded: 6, failed: 0, remaining: 0 });
  });

  it("of all makes all of them due, and says how many remain when its time is over", async () => {
    await fail(newIds(1_200));
    assertEquals(await retryFailures(sql, { forMs: 0 }), {
      retried: 500,
      succeeded: 500,
      failed: 0,
      remaining: 700,
    });
  });

  it("names those that failed again, and no other", async () => {
    const [poison = "", ...others] = newIds(20);
    await fail([poison, ...others]);
    await refuseAssignments(sql, `new.client_id = '${poison}'`);
    await makeDue(sql);
    const failed: string[] = [];
    await retryDueFailures(sql, (failures) => failed.push(...failures.map(({ memberId }) => memberId)));
    assertEquals(failed, [poison]);
  });

  it("continues with other trainers while another session retries those of the first", async () => {
    const [first = "", second = ""] = newIds(2);
    const trainerId = newId();
    await sql`insert into public.members (id) values (${trainerId})`;
    await fail([first, second]);
    await sql`
      update assignment.failures
      set next_attempt_at = now() - interval '1 hour', requested_trainer_id = ${trainerId}
      where member_id = ${first}
    `;
    await sql`update assignment.failures set next_attempt_at = now() where member_id = ${second}`;
    await database.newConnection().begin(async (other) => {
      await other`select from assignment.retry_failures(1)`;
      assertEquals(await retryDueFailures(sql), { retried: 1, succeeded: 1, failed: 0 });
    });
  });

  it("of all does nothing when there are none", async () => {
    assertEquals(await retryFailures(sql), { retried: 0, succeeded: 0, failed: 0, remaining: 0 });
  });

  it("is listed by pages that neither skip nor repeat", async () => {
    const ids = newIds(25);
    await fail(ids);
    const seen: string[] = [];
    for (let after: string | undefined, pages = 0; pages < 4; pages++) {
      const page = await listFailures(sql, { limit: 10, after });
      seen.push(...page.map(({ memberId }) => memberId));
      after = page.at(-1)?.memberId;
    }
    assertEquals(seen, ids.toSorted());
  });
});
