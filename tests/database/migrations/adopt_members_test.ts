import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import { migrateDown, migrateUp } from "../../../src/database/migrate.ts";
import { OperatorError } from "../../../src/errors.ts";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import {
  assertAssigned,
  assertRecorded,
  countAssignments,
  countMembers,
  newId,
} from "../../support/assignments.ts";
import { catalogOf } from "../../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { runBackfill } from "../../support/backfills.ts";

describe("a members table of the application's own", () => {
  let database: TestDatabase;
  let id: string;
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    id = newId();
  });
  afterEach(() => database.drop());

  const addTrainer = () => database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
  const signUp = () => database.sql`insert into public.members (id) values (${id})`;

  it("with other columns and rows is adopted, and its rows wait for a backfill", async () => {
    await database.sql.unsafe(`
      create table public.members (
        tenant text not null default 'one',
        id uuid default gen_random_uuid() primary key,
        "Full Name" text,
        score numeric check (score > 0)
      );
      insert into public.members (id) select gen_random_uuid() from generate_series(1, 100);
    `);
    await migrateUp(database.url);
    await addTrainer();
    await signUp();
    await assertAssigned(database.sql, [id]);
    const run = await runBackfill(database.sql);
    assertEquals([run.status, run.successful, run.skipped], ["succeeded", 100, 2]);
  });

  it("with a unique id instead of a primary key is adopted", async () => {
    await database.sql`create table public.members (number bigserial primary key, id uuid not null unique)`;
    await migrateUp(database.url);
    await addTrainer();
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("with a unique id that may be null is adopted, and a failure records whoever has one", async () => {
    await database.sql`create table public.members (number bigserial primary key, id uuid unique)`;
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) values (${id}), (null)`;
    await assertRecorded(database.sql, [id], "23503");
  });

  it("from which another table inherits is refused with a clear message, and stays as it is", async () => {
    const { sql, url } = database;
    await sql.unsafe(`
      create table members (id uuid primary key default gen_random_uuid(), email text);
      create table premium_members (tier text) inherits (members);
      alter table premium_members add primary key (id);
    `);
    await assertRejects(
      () => migrateUp(url),
      OperatorError,
      "foreign keys and triggers of public.members ignore the rows of its child tables: premium_members",
    );
    assertEquals((await sql`select from pg_trigger where not tgisinternal`).length, 0);
  });

  it("from which another table inherits is served by a mirror under another name, with its child tables", async () => {
    const { sql, url } = database;
    await sql.unsafe(`
      create table members (id uuid primary key default gen_random_uuid(), email text);
      create table premium_members (tier text) inherits (members);
      insert into members (email) values ('plain@example.com');
      insert into premium_members (email, tier) values ('gold1@example.com', 'gold');
      alter table members rename to people;
    `);
    await migrateUp(url);
    await addTrainer();
    await sql`select assignment.watch('public.people', 'id'), assignment.watch('public.premium_members', 'id')`;
    await sql`insert into people (email) values ('plain2@example.com')`;
    await sql`insert into premium_members (email, tier) values ('gold2@example.com', 'gold')`;
    const people = await sql<{ id: string }[]>`select id from people`;
    assertEquals(people.length, 4);
    await assertAssigned(sql, people.map(({ id }) => id));
  });

  it("with row-level security is adopted", async () => {
    await database.sql.unsafe(`
      create table public.members (id uuid primary key);
      alter table public.members enable row level security;
      create policy own_row on public.members using (id::text = current_setting('app.member', true));
    `);
    await migrateUp(database.url);
    await addTrainer();
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("of another owner is adopted with the rights REFERENCES, TRIGGER and SELECT", async () => {
    await database.sql`create table public.members (id uuid primary key)`;
    const role = `${database.name}_role`;
    const url = Object.assign(new URL(database.url), { username: role, password: "secret" }).href;
    await database.sql.unsafe(`
      create role ${role} login password 'secret';
      grant create on database ${database.name} to ${role};
      grant create on schema public to ${role};
      grant references, trigger, select on public.members to ${role};
    `);
    await migrateUp(url);
    const service = openDatabase(url, { max: 1, applicationName: "test" });
    await signUp();
    await assertRecorded(database.sql, [id], "23503");
    await addTrainer();
    await database.sql`update assignment.failures set next_attempt_at = now()`;
    const [retry] = await service`select retried, succeeded, failed from assignment.retry_failures()`;
    assertEquals(retry, { retried: 1, succeeded: 1, failed: 0 });
    assertEquals(await countAssignments(database.sql, [id]), 1);
    await migrateDown(url, { all: true });
    await closeDatabase(service);
    await database.sql.unsafe(`drop owned by ${role}; drop role ${role};`);
  });

  it("is exactly as before after all migrations were reverted", async () => {
    await database.sql.unsafe(`
      create table public.members (id uuid primary key, email text unique);
      comment on table public.members is 'Ours.';
      create function public.touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger touch before insert on public.members for each row execute function public.touch();
      insert into public.members (id) values ('${DEFAULT_TRAINER_ID}'), ('${id}');
    `);
    const before = await catalogOf(database.sql);
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) values (gen_random_uuid())`;
    await migrateDown(database.url, { all: true });
    assertEquals(await catalogOf(database.sql), before);
    assertEquals(await countMembers(database.sql, [id, DEFAULT_TRAINER_ID]), 2);
  });

  it("that was dropped does not prevent reverting the migrations", async () => {
    const before = await catalogOf(database.sql);
    await database.sql`create table public.members (id uuid primary key)`;
    await migrateUp(database.url);
    await database.sql`drop table public.members cascade`;
    await migrateDown(database.url, { all: true });
    assertEquals(await catalogOf(database.sql), before);
  });

  it("that is empty stays too", async () => {
    await database.sql`create table public.members (id uuid primary key)`;
    const before = await catalogOf(database.sql);
    await migrateUp(database.url);
    await migrateDown(database.url, { all: true });
    assertEquals(await catalogOf(database.sql), before);
  });

  it("with a writer makes the migrations give up after 5 s, and they continue from there later", async () => {
    await database.sql`create table public.members (id uuid primary key)`;
    await database.newConnection().begin(async (writer) => {
      await writer`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
      await assertRejects(() => migrateUp(database.url), Error, "lock timeout");
    });
    await migrateUp(database.url);
    await signUp();
    await assertAssigned(database.sql, [id]);
  });

  it("with a reader is adopted meanwhile, and released only when the reader has ended", async () => {
    await database.sql`create table public.members (id uuid primary key)`;
    await database.newConnection().begin(async (reader) => {
      await reader`select from public.members`;
      await migrateUp(database.url);
      await reader`select from public.trainer_client_assignments`;
    });
    await database.newConnection().begin(async (reader) => {
      await reader`select from public.trainer_client_assignments`;
      await assertRejects(() => migrateDown(database.url, { all: true }), Error, "lock timeout");
    });
    await migrateDown(database.url, { all: true });
  });

  for (
    const [what, definition, message] of [
      [
        "whose id is an integer",
        "id integer primary key",
        "public.members.id must be of type uuid, but is integer",
      ],
      ["whose id is text", "id text primary key", "public.members.id must be of type uuid, but is text"],
      [
        "without an id",
        "member_id uuid primary key",
        "public.members.id must be of type uuid, but there is no such column",
      ],
      ["whose id is not unique", "id uuid", "public.members.id must be the primary key, or unique by itself"],
      [
        "whose id is unique only together with another column",
        "tenant text, id uuid, primary key (tenant, id)",
        "public.members.id must be the primary key, or unique by itself",
      ],
      [
        "whose id is only unique at commit",
        "id uuid unique deferrable initially deferred",
        "public.members.id must be the primary key, or unique by itself",
      ],
    ] as const
  ) {
    it(`${what} is refused with a clear message, and stays as it is`, async () => {
      await database.sql.unsafe(`create table public.members (${definition})`);
      const before = await catalogOf(database.sql);
      await assertRejects(() => migrateUp(database.url), Error, message);
      await migrateDown(database.url, { all: true });
      assertEquals(await catalogOf(database.sql), before);
    });
  }

  it("whose id is unique only for some rows is refused", async () => {
    await database.sql.unsafe(`
      create table public.members (id uuid, is_deleted boolean);
      create unique index on public.members (id) where not is_deleted;
    `);
    await assertRejects(() => migrateUp(database.url), Error, "must be the primary key, or unique by itself");
  });

  it("that is a view is refused", async () => {
    await database.sql`create view public.members as select gen_random_uuid() as id`;
    await assertRejects(() => migrateUp(database.url), Error, "public.members");
  });
});

describe("a members table that the migrations made", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("accepts a member with nothing but an id, or without one", async () => {
    const id = newId();
    await database.sql`insert into public.members (id) values (${id})`;
    await database.sql`insert into public.members default values`;
    await assertAssigned(database.sql, [id]);
  });

  it("is kept with its rows when all is reverted, and adopted again", async () => {
    await migrateDown(database.url, { all: true });
    assertEquals(await countMembers(database.sql, [DEFAULT_TRAINER_ID]), 1);
    await migrateUp(database.url);
    const id = newId();
    await database.sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  });

  it("is kept with its rows and comment when the application has taken it over", async () => {
    await database.sql`delete from public.members`;
    await database.sql`comment on table public.members is 'Ours now.'`;
    await migrateDown(database.url, { all: true });
    const [table] = await database.sql`select to_regclass('public.members') is not null as exists`;
    assertEquals(table, { exists: true });
  });
});
