import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateDown, migrateUp } from "../../src/database/migrate.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { setDefaultTrainer } from "../../src/policy/policies.ts";
import { backfillExistingUsers, isUserAssignedToTrainer } from "../../src/trainer_assignment.ts";
import { newId } from "../support/assignments.ts";
import { catalogOf } from "../support/catalog.ts";
import { type ForeignDatabase, foreignDatabase } from "../support/foreign_database.ts";

describe("members and a database that belong to the application's own role", () => {
  let database: ForeignDatabase;
  const trainerId = newId();
  beforeEach(async () => {
    database = await foreignDatabase("id uuid primary key, tenant text not null");
    await database.as("application").unsafe(`
      insert into public.members values ('${trainerId}', 'north');
      insert into public.members select gen_random_uuid(), 'north' from generate_series(1, 100);
      grant insert on public.members to ${database.names.inserter};
    `);
  });
  afterEach(() => database.drop());

  it("are adopted by an owner with REFERENCES and TRIGGER, and released again", async () => {
    const before = await catalogOf(database.sql);
    await migrateUp(database.urlOf("owner"));
    await database.as("owner")`select assignment.grant_service(${database.names.service})`;
    const service = database.as("service");
    await setDefaultTrainer(service, trainerId, "ops");
    const id = newId();
    await database.as("inserter")`insert into public.members values (${id}, 'south')`;
    assertEquals(await isUserAssignedToTrainer(service, id), true);
    const { successful, failed } = await backfillExistingUsers(service);
    assertEquals([successful, failed], [100, 0]);
    assertEquals((await checkHealth(service)).status, "ready");

    await migrateDown(database.urlOf("owner"), { all: true });
    await database.sql`drop owned by ${database.sql(database.names.service)}`;
    assertEquals(await catalogOf(database.sql), before);
  });
});
