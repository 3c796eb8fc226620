import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../src/database/sql.ts";
import { AppError } from "../../src/errors.ts";
import { batchChecks } from "../../src/assignments/batched_checks.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID, endAssignment } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";
import { addMembers } from "./test_service.ts";

describe("batched checks", () => {
  let database: TestDatabase;
  let sql: Sql;
  let members: string[];
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
    members = await addMembers(sql, 100);
  });
  afterAll(() => database.drop());

  it("share queries", async () => {
    const { watched, seen } = watch(sql);
    const checkMember = batchChecks(watched);
    const answers = await Promise.all(members.map((id) => checkMember(id)));
    assertEquals(
      answers.map(({ memberId, assigned }) => [memberId, assigned]),
      members.map((id) => [id, true]),
    );
    assertLessOrEqual(seen.queries, 5); // two, but that a slow machine lets others begin beside the first
  });

  it("are never answered by an older query", async () => {
    const [first = "", second = ""] = members;
    const { watched, seen } = watch(sql);
    const checkMember = batchChecks(watched);
    const held = Promise.withResolvers<void>();
    seen.hold = held.promise;
    const early = checkMember(first);
    await endAssignment(sql, DEFAULT_TRAINER_ID, second);
    const late = checkMember(second);
    held.resolve();
    assertEquals([(await early).assigned, (await late).assigned], [true, false]);
    await assignClientToTrainer(sql, second);
  });

  it("run at most four queries at once", async () => {
    const { watched, seen } = watch(sql);
    const checkMember = batchChecks(watched);
    const held = Promise.withResolvers<void>();
    seen.hold = held.promise;
    const checks: Promise<unknown>[] = [];
    for (let wave = 0; wave < 8; wave++) {
      checks.push(...members.map((id) => checkMember(id)));
      const later = performance.now() + 6; // a slow query lets another one begin beside it
      while (performance.now() < later) await Promise.resolve();
    }
    assertEquals(seen.underWay, 4);
    held.resolve();
    await Promise.all(checks);
    assertEquals(seen.mostUnderWay, 4);
    assertLessOrEqual(seen.queries, 8);
  });

  it("each use the requested trainer", async () => {
    const [trainerId = "", client = "", other = ""] = members;
    await assignClientToTrainer(sql, client, { trainerId });
    const checkMember = batchChecks(sql);
    const answers = await Promise.all([
      checkMember(client, trainerId),
      checkMember(client),
      checkMember(other, trainerId),
      checkMember(other),
    ]);
    assertEquals(answers.map((answer) => [answer.trainerId, answer.assigned]), [
      [trainerId, true],
      [DEFAULT_TRAINER_ID, true],
      [trainerId, false],
      [DEFAULT_TRAINER_ID, true],
    ]);
  });

  it("do not share an unknown member's error", async () => {
    const checkMember = batchChecks(sql);
    const [first = "", second = ""] = members;
    const known = [checkMember(first), checkMember(second)];
    const error = await assertRejects(() => checkMember(newId()), AppError);
    assertEquals(error.code, "member_not_found");
    assertEquals((await Promise.all(known)).map(({ assigned }) => assigned), [true, true]);
  });

  it("do not share the error of an id that the database cannot read", async () => {
    const checkMember = batchChecks(sql);
    const checks = members.map((id) => checkMember(id));
    const broken = [`${newId()},${newId()}`, "", 'a"}'].map((id) => assertRejects(() => checkMember(id)));
    await Promise.all(broken);
    assertEquals((await Promise.all(checks)).every(({ assigned }) => assigned), true);
  });

  it("need no default trainer if a trainer is named", async () => {
    const empty = await testDatabase();
    await empty.sql`delete from assignment.settings`;
    const [member = ""] = (await empty.sql<{ id: string }[]>`select id from public.members`).map(({ id }) =>
      id
    );
    const checkMember = batchChecks(empty.sql);
    const named = checkMember(member, newId());
    const error = await assertRejects(() => checkMember(member), AppError);
    assertEquals([error.code, (await named).assigned], ["trainer_not_found", false]);
    await empty.drop();
  });

  it("continue after errors of the database", async () => {
    const checkMember = batchChecks(sql);
    const [first = "", second = ""] = members;
    await sql`alter table public.trainer_client_assignments rename to elsewhere`;
    await Promise.all([first, second].map((id) => assertRejects(() => checkMember(id))));
    await sql`alter table public.elsewhere rename to trainer_client_assignments`;
    assertEquals((await checkMember(first)).assigned, true);
  });
});

/** A database handle that counts the queries, and holds back their answers until `hold` lets go. */
function watch(sql: Sql) {
  const seen = { queries: 0, underWay: 0, mostUnderWay: 0, hold: Promise.resolve() };
  const watched = new Proxy(sql, {
    apply(target, self, parameters) {
      const query = Reflect.apply(target, self, parameters).execute();
      const { hold } = seen;
      seen.queries += 1;
      seen.underWay += 1;
      seen.mostUnderWay = Math.max(seen.mostUnderWay, seen.underWay);
      return Promise.all([query, hold]).then(([rows]) => rows).finally(() => seen.underWay -= 1);
    },
  });
  return { watched, seen };
}
