import { assertEquals, assertLess } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { batchChecks } from "../../../src/assignments/batched_checks.ts";
import { ANY_TRAINER, checkAssignments, DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newIds } from "../../support/assignments.ts";
import { countRowsRead, setStorage } from "../../support/assignments_table.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("checks of many members before the table is analyzed", () => {
  let database: TestDatabase;
  let session: Sql;
  const ids = newIds(10_000);
  const asked = ids.slice(0, 1000);
  beforeAll(async () => {
    database = await testDatabase();
    await setStorage(database.sql, "autovacuum_enabled = off");
    await database.sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    session = database.newConnection(); // one session: what it read is its own to tell
  });
  afterAll(() => database.drop());

  it("read only the requested members", async () => {
    const before = await countRowsRead(session);
    const { results } = await checkAssignments(session, asked, DEFAULT_TRAINER_ID);
    assertEquals(results.filter(({ assigned }) => assigned).length, 1000);
    assertLess(await countRowsRead(session) - before, 2 * asked.length);
  });

  it("read only the requested members, also in batched single checks", async () => {
    const before = await countRowsRead(session);
    const checkMember = batchChecks(session);
    const answers = await Promise.all(asked.map((id) => checkMember(id)));
    assertEquals(answers.filter(({ assigned }) => assigned).length, 1000);
    assertLess(await countRowsRead(session) - before, 2 * asked.length);
  });

  it("read only the requested members, also where any trainer will do", async () => {
    const before = await countRowsRead(session);
    const { results } = await checkAssignments(session, asked, ANY_TRAINER);
    assertEquals(results.filter(({ assigned }) => assigned).length, 1000);
    const checkMember = batchChecks(session);
    const answers = await Promise.all(asked.map((id) => checkMember(id, ANY_TRAINER)));
    assertEquals(answers.filter(({ trainerId }) => trainerId === DEFAULT_TRAINER_ID).length, 1000);
    assertLess(await countRowsRead(session) - before, 4 * asked.length);
  });
});
