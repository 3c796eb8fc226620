import { assertEquals } from "@std/assert";
import { afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { migrateUp } from "../../src/database/migrate.ts";
import { repairStructure } from "../../src/database/structure/repair.ts";
import { checkHealth } from "../../src/operation/health.ts";
import { assertAssigned, newId } from "../support/assignments.ts";
import { catalogOf } from "../support/catalog.ts";
import { SERVICE_ROLE, type TestDatabase, testDatabase } from "../support/databases.ts";
import { connectTypeOrm, installOrms, pushDrizzle } from "../support/orms.ts";

describe("an application's ORM that pushes its schema, as docs/adopting_orm.md tells", () => {
  let database: TestDatabase;
  let before: string[];
  beforeAll(installOrms);
  beforeEach(async () => {
    database = await testDatabase({ migrated: false });
    await pushDrizzle("drizzle", database.url); // the application's own table
    await migrateUp(database.url);
    await database.sql`insert into public.members (id) select default_trainer_id from assignment.settings`;
    await database.sql`select assignment.grant_service(${SERVICE_ROLE})`;
    before = await catalogOf(database.sql);
  });
  afterEach(() => database.drop());

  const signUp = async () => {
    const id = newId();
    await database.sql`insert into public.members (id) values (${id})`;
    await assertAssigned(database.sql, [id]);
  };

  it("leaves what is ours alone: drizzle-kit push with tablesFilter", async () => {
    await pushDrizzle("drizzle_filtered", database.url);
    assertEquals(await catalogOf(database.sql), before);
    await signUp();
  });

  it("leaves what is ours alone: TypeORM's synchronize", async () => {
    await connectTypeOrm("synchronize", database.url);
    assertEquals(await catalogOf(database.sql), before);
    await signUp();
  });

  it("drops the assignments without the filter, which health reports and migrate repair repairs", async () => {
    await pushDrizzle("drizzle", database.url);
    const { status } = await checkHealth(database.sql);
    assertEquals([status, (await catalogOf(database.sql)).length < before.length], ["degraded", true]);
    const { unrepaired, notes } = await repairStructure(database.sql);
    assertEquals([unrepaired, notes.length], [[], 1]);
    assertEquals(await catalogOf(database.sql), before);
    await signUp();
  });

  it("drops the schema public: TypeORM's dropSchema, after which migrate repair creates our objects again", async () => {
    await connectTypeOrm("dropSchema", database.url);
    assertEquals((await checkHealth(database.sql)).status, "degraded");
    await pushDrizzle("drizzle_filtered", database.url);
    await database.sql`insert into public.members (id) select default_trainer_id from assignment.settings`;
    assertEquals((await repairStructure(database.sql)).unrepaired, []);
    assertEquals(await catalogOf(database.sql), before);
    await signUp();
  });
});
