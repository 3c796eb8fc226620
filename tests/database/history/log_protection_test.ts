import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { assignClientToTrainer } from "../../../src/assignments/assign.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { listAuditLines } from "../../../src/history/audit_lines.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addTrainers } from "../../support/policies.ts";

describe("lines of the audit log", () => {
  let database: TestDatabase;
  let owner: Sql;
  let service: Sql;
  let memberId: string;
  beforeAll(async () => {
    database = await testDatabase();
    owner = database.sql;
    service = await database.newServicePool();
    [memberId = ""] = await addTrainers(owner, 1);
    await assignClientToTrainer(service, memberId, { actor: "ops" });
    await owner`select assignment.end_assignment(${memberId}, default_trainer_id, 'ops') from assignment.settings`;
  });
  afterAll(() => database.drop());

  const STATEMENTS = ["audit_log", "audit_subjects"].flatMap((table) => [
    `update assignment.${table} set at = now()`,
    `delete from assignment.${table}`,
    `truncate assignment.${table}`,
    `insert into assignment.${table} select * from assignment.${table}`,
    `with gone as (delete from assignment.${table} returning 1) select count(*) from gone`,
    `merge into assignment.${table} l using (values (1)) as v (x) on true when matched then update set at = now()`,
  ]);

  async function sqlstateOf(sql: Sql, statement: string): Promise<string> {
    const error = await assertRejects(() => sql.unsafe(statement), postgres.PostgresError);
    return error.code;
  }

  it("cannot be changed, deleted or made up by the service", async () => {
    for (const statement of STATEMENTS) {
      for (const forged of ["", "set local assignment.forgets = 'on'; ", "set local row_security = off; "]) {
        assertEquals([statement, await sqlstateOf(service, forged + statement)], [statement, "42501"]);
      }
    }
    for (
      const call of [
        "select assignment.forget_before(now())",
        "select assignment.record_audit('x', 'policy.changed')",
      ]
    ) assertEquals([call, await sqlstateOf(service, call)], [call, "42501"]);
  });

  it("can be made by the service of sign-ins and refusals alone", async () => {
    assertEquals(
      await sqlstateOf(service, "select assignment.record_access('x', 'policy.changed')"),
      "22023",
    );
  });

  it("cannot be changed or deleted by the owner's statements", async () => {
    const before = await listAuditLines(owner, {}, { limit: 10 });
    for (const statement of STATEMENTS) {
      if (statement.startsWith("insert")) continue;
      for (
        const extra of ["", "set local row_security = off; ", "set local assignment.by_service = 'on'; "]
      ) {
        assertEquals([statement, await sqlstateOf(owner, extra + statement)], [statement, "TA018"]);
      }
    }
    assertEquals(await listAuditLines(owner, {}, { limit: 10 }), before);
  });

  it("cannot be deleted by another role with the right to delete that pretends to forget", async () => {
    const role = `other_${crypto.randomUUID().replaceAll("-", "")}`;
    await owner.unsafe(`create role ${role}; grant usage on schema assignment to ${role}`);
    await owner.unsafe(`grant select, delete on assignment.audit_log, assignment.audit_subjects to ${role}`);
    const statement = `
      set local role ${role};
      set local assignment.forgets = 'on';
      delete from assignment.audit_log;
    `;
    assertEquals(await sqlstateOf(owner, statement), "TA018");
    await owner.unsafe(`drop owned by ${role}; drop role ${role}`);
  });

  it("of before a time are deleted by forget_before, which says so in a line that stays", async () => {
    const lines = await listAuditLines(owner, {}, { limit: 10 });
    assertEquals(lines.length, 1);
    const [row] = await owner<[{ forgotten: number }]>`select assignment.forget_before(now()) as forgotten`;
    assertEquals(row.forgotten, 1);
    const [line, ...others] = await listAuditLines(owner, {}, { limit: 10 });
    assertEquals(others, []);
    assertEquals([line?.actor, line?.action, line?.after?.["lines"]], ["postgres", "audit.forgotten", 1]);
    assertEquals(await listAuditLines(owner, { memberId }, { limit: 10 }), []);
    const subjects = await owner`select from assignment.audit_subjects`;
    assertEquals(subjects.length, 0);
    assertEquals(
      await sqlstateOf(owner, "delete from assignment.audit_log"),
      "TA018",
      "afterwards as before",
    );
  });

  it("are forgotten at no time to come, nor at none", async () => {
    for (const time of ["now() + interval '1 day'", "null", "'infinity'"]) {
      assertEquals(await sqlstateOf(owner, `select assignment.forget_before(${time})`), "22023");
    }
    await owner`select assignment.forget_before('-infinity')`;
    assert((await listAuditLines(owner, {}, { limit: 10 })).length >= 2);
  });
});
