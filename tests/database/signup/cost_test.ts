import { assertEquals, assertLessOrEqual } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import type { Sql } from "../../../src/database/sql.ts";
import { assertRecorded, countAssignments, countFailures, newIds } from "../../support/assignments.ts";
import { copyMembers } from "../../support/copy.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { refuseAssignments } from "../../support/members.ts";

describe("a COPY of 10,000 members", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  it("is one call of the trigger", async () => {
    const session = database.newConnection();
    await session`set track_functions = 'all'`;
    await copyMembers(session, newIds(10_000));
    await session`select pg_stat_force_next_flush()`;
    const rows = await session`
      select calls from pg_stat_user_functions where funcname = 'tg_members__assign_trainer'
    `;
    assertEquals([...rows], [{ calls: 1 }]);
  });

  it("is at most three sub-transactions when nothing fails", async () => {
    const counts: number[] = [];
    for (const _ of Array(3)) { // the server's own housekeeping may take a number in between
      counts.push(
        await database.sql.begin(async (tx) => {
          const [before] = await tx<[{ xid: number }]>`select pg_current_xact_id()::text::bigint as xid`;
          await copyMembers(tx, newIds(10_000));
          const [after] = await tx<
            [{ xid: number }]
          >`select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid`;
          return after.xid - before.xid - 1;
        }),
      );
    }
    assertLessOrEqual(Math.min(...counts), 3);
  });

  it("leaves 9,993 assigned and 7 recorded when a trigger refuses 7", async () => {
    const ids = newIds(10_000);
    const poison = pickSeven(ids);
    await refuseAssignments(database.sql, `new.client_id in (${quoted(poison)})`);
    await copyMembers(database.sql, ids);
    await assertPoisonIsolated(database.sql, ids, poison, "P0001");
  });

  it("leaves 9,993 assigned and 7 recorded when a check refuses 7", async () => {
    const ids = newIds(10_000);
    const poison = pickSeven(ids);
    await database.sql.unsafe(`
      alter table public.trainer_client_assignments
        add constraint no_poison check (client_id not in (${quoted(poison)}))
    `);
    await copyMembers(database.sql, ids);
    await assertPoisonIsolated(database.sql, ids, poison, "23514");
  });

  it("leaves all recorded when a trigger refuses all", async () => {
    const ids = newIds(10_000);
    await refuseAssignments(database.sql, "true");
    await copyMembers(database.sql, ids);
    await assertRecorded(database.sql, ids, "P0001");
  });
});

/** The first, the last, two neighbours and three elsewhere, in key order. */
function pickSeven(ids: string[]): string[] {
  const sorted = ids.toSorted();
  return [0, 17, 4999, 5000, 7500, 9001, 9999].map((index) => sorted[index] ?? "");
}

function quoted(ids: string[]): string {
  return ids.map((id) => `'${id}'`).join(", ");
}

async function assertPoisonIsolated(
  sql: Sql,
  ids: string[],
  poison: string[],
  sqlstate: string,
): Promise<void> {
  await assertRecorded(sql, poison, sqlstate);
  assertEquals([await countAssignments(sql, ids), await countFailures(sql)], [9_993, 7]);
}
