import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { streamTrainerClients } from "../../../src/assignments/client_export.ts";
import { readFrom } from "../../../src/database/read_replica.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { getPolicy, setDefaultTrainer } from "../../../src/policy/policies.ts";
import { assignClientToTrainer, endAssignment, getTrainerClients } from "../../../src/trainer_assignment.ts";
import { countAssignments, countMembers, newId, newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";

describe("a trainer's clients", () => {
  let database: TestDatabase;
  let sql: Sql;
  let trainerId: string;
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    trainerId = newId();
    await sql`insert into public.members (id) values (${trainerId})`;
    await setDefaultTrainer(sql, trainerId, "test");
  });

  async function signUp(count: number): Promise<string[]> {
    const ids = newIds(count);
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
    return ids;
  }

  it("are listed oldest assignment first", async () => {
    const ids = [];
    for (const _ of Array(5)) ids.push(...await signUp(1));
    assertEquals((await getTrainerClients(sql, trainerId)).map(({ clientId }) => clientId), ids);
  });

  it("are listed with their assignment", async () => {
    const [id] = await signUp(1);
    const [client] = await getTrainerClients(sql, trainerId);
    const [row] = await sql`
      select id, assignment_date from public.trainer_client_assignments where client_id = ${id ?? ""}
    `;
    assertEquals(client, {
      clientId: id ?? "",
      assignmentId: row?.id,
      assignmentDate: row?.assignmentDate,
      status: "active",
      source: "trigger",
      assignedBy: "trigger",
      policyVersion: (await getPolicy(sql)).version,
      rule: null,
      endedAt: null,
      endedBy: null,
      endedBecause: null,
      notes: null,
    });
  });

  it("are empty at first", async () => {
    assertEquals([...await getTrainerClients(sql, trainerId)], []);
  });

  it("are refused for a trainer who is not a member", async () => {
    const error = await assertRejects(() => getTrainerClients(sql, newId()), AppError);
    assertEquals(error.code, "trainer_not_found");
  });

  it("come in pages that neither skip nor repeat, while others sign up and assignments end", async () => {
    const ids = await signUp(55);
    const seen: string[] = [];
    for (let after: string | undefined, pages = 0; pages < 6; pages++) {
      const page = await getTrainerClients(sql, trainerId, { limit: 10, after });
      seen.push(...page.map(({ clientId }) => clientId));
      after = page.at(-1)?.assignmentId;
      await endAssignment(sql, trainerId, page[0]?.clientId ?? "");
      await signUp(1);
    }
    assertEquals(seen.filter((id) => ids.includes(id)).toSorted(), ids.toSorted());
    assertEquals(new Set(seen).size, seen.length);
  });

  it("with ended assignments are listed separately", async () => {
    const [ended, active] = await signUp(2);
    await endAssignment(sql, trainerId, ended ?? "");
    const list = async (status: "active" | "inactive") =>
      (await getTrainerClients(sql, trainerId, { limit: 10, status })).map(({ clientId }) => clientId);
    assertEquals([await list("active"), await list("inactive")], [[active], [ended]]);
  });

  it("with ended assignments show when, by whom and why, and others do not", async () => {
    const [ended = "", active] = await signUp(2);
    await endAssignment(sql, trainerId, ended, { actor: "maria" });
    const [row] = await sql`
      select ended_at from public.trainer_client_assignments where client_id = ${ended}
    `;
    const clients = await getTrainerClients(sql, trainerId, { limit: 10, status: "all" });
    const told = (id: string | undefined) => clients.find(({ clientId }) => clientId === id);
    const endOf = (id: string | undefined) => {
      const { status, endedAt, endedBy, endedBecause } = told(id) ?? {};
      return [status, endedAt, endedBy, endedBecause];
    };
    assertEquals(endOf(ended), ["inactive", row?.endedAt, "maria", "manual"]);
    assertEquals(endOf(active), ["active", null, null, null]);
  });

  it("of every status come in pages that neither skip nor repeat", async () => {
    const ids = await signUp(25);
    for (const id of ids.slice(5, 18)) await endAssignment(sql, trainerId, id);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await getTrainerClients(sql, trainerId, { limit: 4, after, status: "all" });
      seen.push(...page.map(({ assignmentId }) => assignmentId));
      after = page.at(-1)?.assignmentId;
    } while (after !== undefined);
    const rows = await sql<{ id: string }[]>`
      select id from public.trainer_client_assignments where trainer_id = ${trainerId} order by id
    `;
    assertEquals(seen, rows.map(({ id }) => id));
  });

  it("with several ended assignments are listed once for each", async () => {
    const [id] = await signUp(1);
    for (const _ of Array(2)) {
      await endAssignment(sql, trainerId, id ?? "");
      await assignClientToTrainer(sql, id ?? "");
    }
    const inactive = await getTrainerClients(sql, trainerId, { limit: 10, status: "inactive" });
    assertEquals(inactive.map(({ clientId }) => clientId), [id, id]);
    assertEquals((await getTrainerClients(sql, trainerId)).length, 1);
  });

  it("are exported whole, in order, in chunks of at most 2,000", async () => {
    const ids = await signUp(4_500);
    const chunks = await Array.fromAsync(streamTrainerClients(readFrom(sql), trainerId));
    assertEquals(chunks.map((chunk) => chunk.length), [2_000, 2_000, 500]);
    const clients = chunks.flat();
    assertEquals(clients.map(({ clientId }) => clientId).toSorted(), ids.toSorted());
    const assignmentIds = clients.map(({ assignmentId }) => assignmentId);
    assertEquals(assignmentIds, assignmentIds.toSorted());
  });

  it("are exported as nothing when there are none, and refused for a trainer who is not a member", async () => {
    assertEquals(await Array.fromAsync(streamTrainerClients(readFrom(sql), trainerId)), []);
    const error = await assertRejects(() => streamTrainerClients(readFrom(sql), newId()).next(), AppError);
    assertEquals(error.code, "trainer_not_found");
  });

  it("lose their assignments when they are deleted", async () => {
    const [id] = await signUp(1);
    await endAssignment(sql, trainerId, id ?? "");
    await assignClientToTrainer(sql, id ?? "");
    await sql`delete from public.members where id = ${id ?? ""}`;
    assertEquals(await countAssignments(sql, [id ?? ""]), 0);
    assertEquals([...await getTrainerClients(sql, trainerId)], []);
  });

  it("prevent the deletion of their trainer", async () => {
    await signUp(1);
    await assertRejects(
      () => sql`delete from public.members where id = ${trainerId}`,
      postgres.PostgresError,
      "active_has_trainer",
    );
    assertEquals(await countMembers(sql, [trainerId]), 1);
  });
});
