import { assertEquals } from "@std/assert";
import { afterAll, afterEach, beforeAll, beforeEach, it } from "@std/testing/bdd";
import { DEFAULT_TRAINER_ID } from "../../../src/trainer_assignment.ts";
import {
  assertAssigned,
  assertRecorded,
  countAssignments,
  countFailures,
  countMembers,
  newId,
  newIds,
} from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";
import { setCapacity } from "../../support/policies.ts";
import { describeByPolicy } from "../../support/signup_policies.ts";

describeByPolicy("a signup in a transaction", (policy) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
    await policy.put(database.sql);
  });
  afterAll(() => database.drop());

  for (const level of ["read committed", "repeatable read", "serializable"]) {
    it(`of isolation level ${level} is assigned at its commit`, async () => {
      const id = newId();
      await database.sql.begin(`isolation level ${level}`, async (tx) => {
        await tx`insert into public.members (id) values (${id})`;
        assertEquals(await countMembers(database.sql, [id]), 0);
      });
      await assertAssigned(database.sql, [id]);
    });

    it(`of isolation level ${level} is assigned though the trainer's row changed after its snapshot`, async () => {
      const id = newId();
      await database.sql.begin(`isolation level ${level}`, async (tx) => {
        await tx`select count(*) from public.members`;
        await database
          .sql`update public.members set display_name = 'New name' where id = ${DEFAULT_TRAINER_ID}`;
        await tx`insert into public.members (id) values (${id})`;
      });
      await assertAssigned(database.sql, [id]);
    });
  }

  it("does not conflict with another signup when both are serializable and take no seats", async () => {
    const [one, two] = [newId(), newId()];
    if (policy.hasRules) await setCapacity(database.sql, DEFAULT_TRAINER_ID, null);
    const other = database.newConnection();
    await database.sql.begin("isolation level serializable", async (tx) => {
      await tx`insert into public.members (id) values (${one})`;
      await other.begin(
        "isolation level serializable",
        (second) => second`insert into public.members (id) values (${two})`,
      );
    });
    await assertAssigned(database.sql, [one, two]);
  });

  it("and within a savepoint is assigned", async () => {
    const id = newId();
    await database.sql.begin((tx) =>
      tx.savepoint((savepoint) => savepoint`insert into public.members (id) values (${id})`)
    );
    await assertAssigned(database.sql, [id]);
  });

  it("leaves nothing when its savepoint is rolled back", async () => {
    const [gone, kept] = [newId(), newId()];
    await database.sql.begin(async (tx) => {
      await tx.savepoint(async (savepoint) => {
        await savepoint`insert into public.members (id) values (${gone})`;
        throw new RollBack();
      }).catch(ignoreRollBack);
      await tx`insert into public.members (id) values (${kept})`;
    });
    await assertAssigned(database.sql, [kept]);
    assertEquals([await countMembers(database.sql, [gone]), await countAssignments(database.sql, [gone])], [
      0,
      0,
    ]);
  });

  it("leaves nothing when it is rolled back", async () => {
    const ids = newIds(3);
    await database.sql.begin(async (tx) => {
      await tx`insert into public.members (id) select unnest(${ids}::uuid[])`;
      throw new RollBack();
    }).catch(ignoreRollBack);
    assertEquals([await countMembers(database.sql, ids), await countAssignments(database.sql, ids)], [0, 0]);
  });

  it("can be one of a hundred single inserts", async () => {
    const ids = newIds(100);
    await database.sql.begin(async (tx) => {
      for (const id of ids) await tx`insert into public.members (id) values (${id})`;
    });
    await assertAssigned(database.sql, ids);
  });

  it("may delete the member again", async () => {
    const id = newId();
    await database.sql.begin(async (tx) => {
      await tx`insert into public.members (id) values (${id})`;
      await tx`delete from public.members where id = ${id}`;
    });
    assertEquals(await countAssignments(database.sql, [id]), 0);
  });

  it("may have deferred all constraints", async () => {
    const id = newId();
    await database.sql.begin(async (tx) => {
      await tx`set constraints all deferred`;
      await tx`insert into public.members (id) values (${id})`;
    });
    await assertAssigned(database.sql, [id]);
  });
});

describeByPolicy("a signup in a transaction, when it cannot be assigned,", (policy) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await policy.put(database.sql);
    await refuseAssignments(database.sql, "true");
  });
  afterEach(() => database.drop());

  for (const level of ["read committed", "repeatable read", "serializable"]) {
    it(`commits at isolation level ${level}`, async () => {
      const id = newId();
      await database.sql.begin(
        `isolation level ${level}`,
        (tx) => tx`insert into public.members (id) values (${id})`,
      );
      await assertRecorded(database.sql, [id], "P0001");
    });

    it(`commits at isolation level ${level} beside a failure that its snapshot does not show`, async () => {
      const id = newId();
      await database.sql.begin(`isolation level ${level}`, async (tx) => {
        await tx`select count(*) from assignment.failures`;
        await database.sql`
          insert into assignment.failures (member_id, sqlstate, message, source)
          values (${id}, 'P0001', 'from elsewhere', 'signup')
        `;
        await tx`insert into public.members (id) values (${id})`;
      });
      await assertRecorded(database.sql, [id], "P0001");
    });
  }

  it("leaves no failure when it is rolled back", async () => {
    await database.sql.begin(async (tx) => {
      await tx`insert into public.members (id) values (gen_random_uuid())`;
      throw new RollBack();
    }).catch(ignoreRollBack);
    assertEquals(await countFailures(database.sql), 0);
  });

  it("is recorded at repeatable read when the snapshot is older than the trainer", async () => {
    const id = newId();
    await acceptAssignments(database.sql);
    await database.sql`delete from public.members`;
    await database.sql.begin("isolation level repeatable read", async (tx) => {
      await tx`select count(*) from public.members`;
      await database.sql`insert into public.members (id) values (${DEFAULT_TRAINER_ID})`;
      await tx`insert into public.members (id) values (${id})`;
    });
    await assertRecorded(database.sql, [id], "23503");
  });
});

class RollBack extends Error {}

function ignoreRollBack(error: unknown): void {
  if (!(error instanceof RollBack)) throw error;
}
