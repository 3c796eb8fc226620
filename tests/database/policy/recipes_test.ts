/** docs/policy.md: each document as it stands there, with members whom it is meant for. */
import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { putPolicy } from "../../../src/policy/policies.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import { newId } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { countClients, setCapacity } from "../../support/policies.ts";

const PAGE = await Deno.readTextFile(new URL("../../../docs/policy.md", import.meta.url));
const [ANNA = "", BEN = "", CLEO = ""] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

describe("the recipe", () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeEach(async () => {
    database = await testDatabase();
    sql = database.sql;
    await sql.unsafe(`
      alter table public.members
        add column plan text, add column country text, add column preferred_coach_id uuid,
        add column profile jsonb, add column deleted_at timestamptz, add column is_staff boolean
    `);
    await sql`insert into public.members (id) select unnest(${[ANNA, BEN, CLEO]}::uuid[])`;
  });
  afterEach(() => database.drop());

  async function follow(title: string) {
    const [, recipe = ""] = PAGE.split(`# ${title}\n`);
    const [, document] = /```json\n([^]+?)```/.exec(recipe) ?? [];
    assert(document !== undefined, `docs/policy.md has no document under "${title}"`);
    const { warnings } = await putPolicy(sql, JSON.parse(document), "a test");
    assertEquals(warnings, []);
  }

  /** Adds a member, and returns the trainers that the trigger gave them. */
  async function signUp(values: Record<string, unknown> = {}): Promise<string[]> {
    const id = newId();
    await sql`insert into public.members ${sql({ id, ...values })}`;
    const rows = await sql<{ trainerId: string }[]>`
      select trainer_id from public.trainer_client_assignments where client_id = ${id} order by trainer_id
    `;
    return rows.map(({ trainerId }) => trainerId);
  }

  it("at the head of the page gives pro members who speak German one of two coaches", async () => {
    const german = ["0195d3a1-6c1e-7b52-9c0a-5f1d2e3c4b5a", "0195d3a1-6c1f-7c11-8e44-0b9a8d7c6e5f"];
    await sql`insert into public.members (id) select unnest(${german}::uuid[])`;
    await follow("The policy: who trains whom");
    const [trainer = ""] = await signUp({ plan: "pro", profile: sql.json({ language: "de-AT" }) });
    assert(german.includes(trainer));
    assertEquals(await signUp({ plan: "pro", profile: sql.json({ language: "en" }) }), [DEFAULT_TRAINER_ID]);
  });

  it("by country and plan gives pro members a coach of their country", async () => {
    await follow("By country and plan");
    const [german = ""] = await signUp({ plan: "pro", country: "AT" });
    assert([ANNA, BEN].includes(german));
    assertEquals(await signUp({ plan: "pro", country: "ES" }), [CLEO]);
    assertEquals(await signUp({ plan: "free", country: "ES" }), [DEFAULT_TRAINER_ID]);
    assertEquals(await signUp({ country: "DE" }), [DEFAULT_TRAINER_ID]);
  });

  it("of the member's own choice gives the coach named, waits when full, else whoever has most room", async () => {
    await follow("A coach of the member's own choice");
    await setCapacity(sql, ANNA, 10);
    await setCapacity(sql, BEN, 1);
    assertEquals(await signUp({ preferredCoachId: BEN }), [BEN]);
    assertEquals(await signUp({ preferredCoachId: BEN }), []);
    const failures = await sql`select sqlstate from assignment.failures`;
    assertEquals(failures.map(({ sqlstate }) => sqlstate), ["TA011"]);
    assertEquals(await signUp(), [ANNA]);
    assertEquals(await signUp({ preferredCoachId: newId() }), [ANNA], "names nobody");
  });

  it("of two coaches gives both", async () => {
    await follow("Two coaches: nutrition and training");
    assertEquals(await signUp({ profile: sql.json({ programme: "full" }) }), [ANNA, BEN]);
    assertEquals(await signUp({ profile: sql.json({}) }), [DEFAULT_TRAINER_ID]);
  });

  it("of a new coach fills them first, then the team", async () => {
    await setCapacity(sql, CLEO, 20);
    await follow("A new coach who should fill up first");
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 50)`;
    const [anna = 0, ben = 0, cleo = 0] = await countClients(sql, [ANNA, BEN, CLEO]);
    assertEquals([cleo, anna + ben], [20, 30]);
  });

  it("without staff and deleted accounts leaves them alone", async () => {
    await follow("Without staff and deleted accounts");
    assertEquals(await signUp({ isStaff: true }), []);
    assertEquals(await signUp({ deletedAt: new Date() }), []);
    assertEquals(await signUp({ email: "new@staff.example" }), []);
    assertEquals(await signUp({ email: "new@example.com", isStaff: false }), [DEFAULT_TRAINER_ID]);
    assertEquals((await sql`select from assignment.failures`).length, 0);
  });
});
