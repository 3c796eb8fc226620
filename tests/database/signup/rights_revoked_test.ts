import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { assertAssigned, assertRecorded, countMembers, newId } from "../../support/assignments.ts";
import { type OwnedDatabase, ownedDatabase } from "../../support/owned_database.ts";
import { describeByPolicy } from "../../support/signup_policies.ts";

describeByPolicy("a signup commits when the owner of the assignments has lost", (policy) => {
  let database: OwnedDatabase;
  let id: string;
  beforeEach(async () => {
    database = await ownedDatabase();
    await policy.put(database.sql);
    id = newId();
  });
  afterEach(() => database.drop());

  async function revoke(rights: string): Promise<void> {
    await database.owner.unsafe(`revoke ${rights} from ${database.ownerName}`);
    await database.newInserter()`insert into public.members (id) values (${id})`;
  }

  it("the right to insert them, and is recorded", async () => {
    await revoke("insert on public.trainer_client_assignments");
    await assertRecorded(database.sql, [id], "42501");
  });

  it("every right on them, and is recorded", async () => {
    await revoke("all on public.trainer_client_assignments");
    await assertRecorded(database.sql, [id], "42501");
  });

  it("the right to read the settings, and is recorded", async () => {
    await revoke("all on assignment.settings");
    await assertRecorded(database.sql, [id], "42501");
  });

  it("the right to execute the function for the default trainer, and is assigned: it needs only the settings", async () => {
    await revoke("execute on function assignment.default_trainer_id()");
    await assertAssigned(database.sql, [id]);
  });

  it("the right to execute what the trigger calls, and so does an update of the id", async () => {
    await revoke("all on all functions in schema assignment");
    const other = newId();
    await database.newInserter()`insert into public.members (id) values (${other})`;
    await database.sql`update public.members set id = ${newId()} where id = ${other}`;
    assertEquals(await countMembers(database.sql, [id]), 1);
    assertEquals(await countMembers(database.sql, [other]), 0);
  });

  it("the right to check who is deleted, and is recorded", async () => {
    await database.owner.unsafe(
      `revoke execute on function assignment.find_gone_members(uuid[]) from ${database.ownerName}`,
    );
    await revoke("insert on public.trainer_client_assignments");
    await assertRecorded(database.sql, [id], "42501");
  });

  it("every right on the tables, the failures too", async () => {
    await revoke("all on all tables in schema assignment, public");
    assertEquals(await countMembers(database.sql, [id]), 1);
  });
});
