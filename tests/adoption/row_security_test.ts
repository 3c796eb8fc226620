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

  it("assigns members added by an inserter who may see none", async () => {
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

describe("a database as Supabase's, whose users are another role's, with row-level security", () => {
  let database: OwnedDatabase;
  let authAdmin: string;
  beforeEach(async () => {
    database = await ownedDatabase({ withService: true });
    authAdmin = database.inserterName; // owns auth.users, and may do nothing else
    await database.sql.unsafe(`
      revoke all on public.members from ${authAdmin};
      create schema auth authorization ${authAdmin};
      set role ${authAdmin};
      create table auth.users (id uuid primary key, phone text);
      alter table auth.users enable row level security;
      insert into auth.users select gen_random_uuid() from generate_series(1, 20);
      grant usage on schema auth to ${database.ownerName};
      grant select, trigger on auth.users to ${database.ownerName};
      reset role;
    `);
    await database.owner.unsafe("alter table public.members enable row level security");
    await database.owner.unsafe(
      `create policy trainer_service_reads on public.members for select to ${database.serviceName} using (true)`,
    );
  });
  afterEach(() => database.drop());

  const watch = () =>
    database.owner<{ mirrored: number }[]>`select assignment.watch('auth.users', 'id') as mirrored`;

  it("refuses to watch users that policies hide, rather than skip them", async () => {
    const error = await assertRejects(watch, postgres.PostgresError);
    assertEquals([error.code, /row-level security/.test(error.message)], ["42501", true]);
    const triggers = await database.sql`select from pg_trigger where tgrelid = 'auth.users'::regclass`;
    assertEquals(triggers.length, 0);
  });

  it("mirrors and assigns existing and new users of a role without rights on our objects", async () => {
    await database.sql`alter role ${database.sql(database.ownerName)} bypassrls`;
    assertEquals((await watch())[0]?.mirrored, 20);
    const admin = database.newInserter();
    const id = newId();
    await admin`insert into auth.users (id) values (${id})`;
    const service = database.newService();
    assertEquals((await getAssignment(service, id)).assigned, true);
    assertEquals((await backfillExistingUsers(service)).skipped, 22);
    await admin`delete from auth.users where id = ${id}`;
    assertEquals(await getAssignment(service, id).catch(({ code }) => code), "member_not_found");
    await assertRejects(() => admin`select from public.members`, postgres.PostgresError);
  });
});
