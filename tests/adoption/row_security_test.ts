import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import { backfillExistingUsers, getAssignment } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { withoutTrigger } from "../support/members.ts";
import { type OwnedDatabase, ownedDatabase } from "../support/owned_database.ts";

describe("a database with row-level security, as docs/adopting.md sets it up", () => {
  let database: OwnedDatabase;
  const early = newId();
  beforeEach(async () => {
    database = await ownedDatabase({ withService: true });
    await withoutTrigger(
      database.sql,
      (transaction) => transaction`insert into public.members (id) values (${early})`,
    );
    await database.owner.unsafe(`
      alter table public.members enable row level security;
      create policy members_sign_up on public.members for insert to ${database.inserterName} with check (true);
      create policy trainer_service_reads on public.members for select to ${database.serviceName} using (true);
    `);
  });
  afterEach(() => database.drop());

  it("assigns whom an inserter adds who may see nobody", async () => {
    const inserter = database.newInserter();
    const id = newId();
    await inserter`insert into public.members (id) values (${id})`;
    await assertRejects(() => inserter`select from public.members`, postgres.PostgresError);
    assertEquals((await getAssignment(database.newService(), id)).assigned, true);
  });

  it("backfills those who were there, as the service's role", async () => {
    const service = database.newService();
    assertEquals((await backfillExistingUsers(service, { dryRun: true })).successful, 1);
    assertEquals((await backfillExistingUsers(service)).successful, 1);
    assertEquals((await getAssignment(service, early)).assigned, true);
  });
});
