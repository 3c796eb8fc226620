import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { AppError } from "../../../src/errors.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { countAssignments, countFailures, newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { makeDue } from "../../support/failures.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";

describe("an assignment by hand", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("waits for no retry that holds the member's failure, and so cannot deadlock with it", async () => {
    const { sql } = database;
    const id = newId();
    await refuseAssignments(sql, "true");
    await sql`insert into public.members (id) values (${id})`;
    await acceptAssignments(sql);
    await makeDue(sql);

    await database.newConnection().begin(async (retry) => {
      await retry`select from assignment.failures where member_id = ${id} for update`; // where a retry begins
      assertEquals((await assignClientToTrainer(sql, id)).assigned, true);
      const [result] = await retry`select succeeded, failed from assignment.retry_failures()`;
      assertEquals(result, { succeeded: 1, failed: 0 });
    });
    assertEquals([await countAssignments(sql, [id]), await countFailures(sql)], [1, 0]);
  });

  it("cannot be ended where the application refuses it or silently keeps it, and that is said", async () => {
    const { sql } = database;
    const id = newId();
    await sql`insert into public.members (id) values (${id})`;
    for (
      const [body, sqlstate] of [
        ["raise exception 'it stays' using errcode = 'XY001'", "XY001"],
        ["return null", "TA008"],
      ] as const
    ) {
      await sql.unsafe(`
        create or replace function public.keep() returns trigger language plpgsql as $$ begin ${body}; end $$;
        create or replace trigger keep before update on public.trainer_client_assignments
          for each row execute function public.keep();
      `);
      const error = await assertRejects(
        () => endAssignment(sql, DEFAULT_TRAINER_ID, id, { actor: "ops" }),
        AppError,
        "could not be ended",
      );
      assertEquals([error.code, error.details], ["assignment_failed", { sqlstate }]);
    }
    await sql`drop trigger keep on public.trainer_client_assignments`;
    assertEquals([...await sql`select from assignment.audit_log where action like 'assignment%'`], []);
    await endAssignment(sql, DEFAULT_TRAINER_ID, id, { actor: "ops" });
    const rows =
      await sql`select status, ended_by from public.trainer_client_assignments where client_id = ${id}`;
    assertEquals([...rows], [{ status: "inactive", endedBy: "ops" }]);
  });
});
