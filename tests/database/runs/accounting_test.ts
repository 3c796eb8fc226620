import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Run } from "../../../src/runs/progress.ts";
import { getRun, startBackfill } from "../../../src/runs/runs.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { countAssigned, countRowsOf, driveToEnd, runBackfill } from "../../support/backfills.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { addUnseenMembers } from "../../support/members.ts";

describe("a backfill of 100,000 members, 10,000 of them assigned before", () => {
  let database: TestDatabase;
  const snapshots: Run[] = [];
  let first: Run;

  beforeAll(async () => {
    database = await testDatabase();
    const { sql } = database;
    await addUnseenMembers(sql, 90_000);
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 10000)`;
    await sql`analyze public.members`;

    const run = await startBackfill(sql, { requestedBy: "test" });
    const driving = driveToEnd(sql, run);
    let isDriven = false;
    driving.finally(() => isDriven = true);
    while (!isDriven) snapshots.push(await getRun(sql, run.id));
    first = await driving;
  });
  afterAll(() => database.drop());

  it("assigns everyone without an assignment, and counts each member once", async () => {
    assertEquals(first.status, "succeeded");
    assertEquals([first.total, first.processed], [100_001, 100_001]);
    assertEquals([first.successful, first.skipped, first.failed, first.remaining], [90_000, 10_001, 0, 0]);
    assertEquals(first.skippedBecause, {
      alreadyAssigned: 10_000,
      ended: 0,
      isTrainer: 1,
      memberGone: 0,
      excluded: 0,
      notSelected: 0,
    });
    assertEquals(await countAssigned(database.sql), 100_000);
    assertEquals(await countRowsOf(database.sql, first), 90_000);
  });

  it("adds up in every snapshot that was taken while it ran", () => {
    assert(
      snapshots.some((run) => run.processed > 0 && run.processed < run.total),
      "no snapshot was taken midway",
    );
    for (const run of snapshots) {
      assertEquals(run.successful + run.skipped + run.failed, run.processed);
      assert(run.processed <= run.total);
    }
  });

  it("skips everybody the second time", async () => {
    const second = await runBackfill(database.sql);
    assertEquals([second.status, second.successful, second.skipped], ["succeeded", 0, 100_001]);
    assertEquals(await countRowsOf(database.sql, second), 0);
  });
});

describe("who a backfill leaves alone", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  it("is counted by reason: assigned, ended, the trainer, deleted", async () => {
    const { sql } = database;
    const [ended, gone] = [crypto.randomUUID(), crypto.randomUUID()];
    await sql`insert into public.members (id) select gen_random_uuid() from generate_series(1, 5)`;
    await sql`insert into public.members (id) values (${ended}), (${gone})`;
    await endAssignment(sql, DEFAULT_TRAINER_ID, ended);

    const run = await startBackfill(sql, { requestedBy: "test" });
    await sql`delete from public.members where id = ${gone}`;
    const result = await driveToEnd(sql, run);
    assertEquals(result.skippedBecause, {
      alreadyAssigned: 5,
      ended: 1,
      isTrainer: 1,
      memberGone: 0,
      excluded: 0,
      notSelected: 0,
    });
    assertEquals([result.status, result.processed, result.total], ["succeeded", 7, 7]);

    const [counted] = await sql<[{ memberGone: number }]>`
      select member_gone
      from assignment.assign_to_trainer(
        row('first', 'backfill', 'a test', ${DEFAULT_TRAINER_ID}::uuid, null, null, null, null, false)::assignment.request,
        array[${gone}]::uuid[]
      )
    `;
    assertEquals(counted.memberGone, 1);
  });

  it("does not include members with only another trainer", async () => {
    const { sql } = database;
    const trainerId = crypto.randomUUID();
    await sql`insert into public.members (id) values (${trainerId})`;
    const [member] = await sql<
      { id: string }[]
    >`select id from public.members where id <> ${trainerId} limit 1`;
    assert(member);
    await assignClientToTrainer(sql, member.id, { trainerId });

    const run = await runBackfill(sql, { trainerId });
    assertEquals(run.skippedBecause, {
      alreadyAssigned: 1,
      ended: 0,
      isTrainer: 1,
      memberGone: 0,
      excluded: 0,
      notSelected: 0,
    });
    assertEquals(run.successful, run.total - 2);
  });

  it("is nobody when there are no members but the trainer", async () => {
    const empty = await testDatabase();
    try {
      const run = await runBackfill(empty.sql);
      assertEquals([run.status, run.total, run.processed, run.remaining], ["succeeded", 1, 1, 0]);
    } finally {
      await empty.drop();
    }
  });
});
