import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateUp } from "../../src/database/migrate.ts";
import { closeDatabase, openDatabase } from "../../src/database/connection.ts";
import type { Sql } from "../../src/database/sql.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { setDefaultTrainer } from "../../src/policy/policies.ts";
import { backfillExistingUsers, isUserAssignedToTrainer } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { catalogOf } from "../support/catalog.ts";
import { type TestDatabase, testDatabase } from "../support/databases.ts";

describe("members and a database that belong to the application's own role", () => {
  let database: TestDatabase;
  const sessions: Sql[] = [];
  const names = { application: "", owner: "", service: "", inserter: "" };
  const password = crypto.randomUUID();
  const trainerId = newId();
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    const { sql, name } = database;
    for (const role of ["application", "owner", "service", "inserter"] as const) {
      names[role] = `${name}_${role}`;
      await sql.unsafe(`create role ${names[role]} login password '${password}'`);
    }
    await sql`alter database ${sql(name)} owner to ${sql(names.application)}`;
    // As docs/adopting.md has it.
    await as("application").unsafe(`
      create table public.members (id uuid primary key, tenant text not null);
      insert into public.members values ('${trainerId}', 'north');
      insert into public.members select gen_random_uuid(), 'north' from generate_series(1, 100);
      grant insert on public.members to ${names.inserter};

      grant create on database ${name} to ${names.owner};
      grant usage, create on schema public to ${names.owner};
      grant references, trigger on public.members to ${names.owner};
      grant select on public.members to ${names.owner} with grant option;
    `);
  });
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => closeDatabase(session, 1)));
    for (const role of Object.values(names)) await database.sql`drop owned by ${database.sql(role)} cascade`;
    await database.sql`alter database ${database.sql(database.name)} owner to current_user`;
    for (const role of Object.values(names)) await database.sql`drop role ${database.sql(role)}`;
    await database.drop();
  });

  const urlOf = (role: keyof typeof names) =>
    Object.assign(new URL(database.url), { username: names[role], password }).href;

  function as(role: keyof typeof names): Sql {
    const session = openDatabase(urlOf(role), { max: 1, applicationName: "test session" });
    sessions.push(session);
    return session;
  }

  it("are adopted by an owner with REFERENCES and TRIGGER, and released again", async () => {
    const before = await catalogOf(database.sql);
    await migrateUp(urlOf("owner"));
    await as("owner")`select assignment.grant_service(${names.service})`;
    const service = as("service");
    await setDefaultTrainer(service, trainerId, "ops");
    const id = newId();
    await as("inserter")`insert into public.members values (${id}, 'south')`;
    assertEquals(await isUserAssignedToTrainer(service, id), true);
    const { successful, failed } = await backfillExistingUsers(service);
    assertEquals([successful, failed], [100, 0]);
    assertEquals((await checkHealth(service)).status, "ready");

    await migrateDown(urlOf("owner"), { all: true });
    await database.sql`drop owned by ${database.sql(names.service)}`;
    assertEquals(await catalogOf(database.sql), before);
  });
});
