/** A shard that has just come to its node by a split: nobody has made there what its members need. */
import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import postgres from "postgres";
import type { Sql } from "../../src/database/sql.ts";
import { previewPolicy } from "../../src/policy/preview.ts";
import { startTransfer } from "../../src/runs/runs.ts";
import { previewTransfer } from "../../src/runs/transfer_preview.ts";
import { DEFAULT_TRAINER_ID } from "../../src/trainer_assignment.ts";
import { driveToEnd, runBackfill } from "../support/backfills.ts";
import { addTrainers, among, setCapacity } from "../support/policies.ts";
import { type CitusDatabase, citusDatabase } from "./citus_database.ts";
import { newIdsByShard, retryAll } from "./seats.ts";
import { moveAShard, splitAShard } from "./shards.ts";

describe("a shard that has just come", () => {
  let database: CitusDatabase;
  let sql: Sql;
  let service: Sql;
  let anna: string;
  beforeAll(async () => {
    database = await citusDatabase({ shards: 2 });
    ({ sql } = database);
    [anna = ""] = await addTrainers(sql, 1);
    await setCapacity(sql, anna, 5);
    service = await database.newServicePool();
  });
  afterAll(() => database.drop());

  it("takes signups while the first one is in a transaction that stays open; none is lost", async () => {
    await splitAShard(database);
    const shard = (await newIdsByShard(sql, 3)).at(-1) ?? []; // one of the new
    const [first = "", ...others] = shard;
    const sessions = others.map(() => database.newConnection());
    await database.newConnection().begin(async (transaction) => {
      await transaction`insert into public.members (id) values (${first})`;
      await Promise.all(
        sessions.map((session, i) => session`insert into public.members (id) values (${others[i] ?? ""})`),
      );
    });
    const failures = await sql<{ sqlstate: string }[]>`select sqlstate from assignment.failures`;
    assertEquals(failures.map(({ sqlstate }) => sqlstate), ["55P03", "55P03"]);
    await sql`select assignment.make_failures_due()`;
    await retryAll(sql);
    const assigned = await sql`
      select from public.trainer_client_assignments where client_id = any (${shard}::uuid[])
    `;
    assertEquals(assigned.length, 3);
  });

  it("gets no functions before its node knows which tables it is made of", async () => {
    const [worker] = database.workers;
    if (worker === undefined) throw new Error("the cluster needs a worker");
    const error = await database.onWorker(worker, async (node) => {
      const error = await assertRejects(
        () => node`select assignment.make_shard_functions(999999)`,
        postgres.PostgresError,
      );
      assertEquals((await node`select from pg_proc where proname ~ '_999999$'`).length, 0);
      return error;
    });
    assertEquals(error.code, "55P03");
  });

  it("is read in transactions that can only read", async () => {
    const members = (await sql<{ id: string }[]>`select id from public.members`).map(({ id }) => id);
    const rules = [{ name: "all", assign: among("spread", [anna]) }];
    const draft = { defaultTrainerId: DEFAULT_TRAINER_ID, respectsOtherTrainers: false, rules };
    await splitAShard(database);
    for (const id of members) {
      const [row] = await sql.begin(
        "read only",
        (transaction) =>
          transaction<[{ decision: { choices: unknown[] } }]>`
          select assignment.explain_decision(${id}) as decision
        `,
      );
      assertEquals(row.decision.choices.length, 1);
    }
    assertEquals((await previewPolicy(service, draft)).members, members.length);
    await moveAShard(database);
    assertEquals((await runBackfill(service, { dryRun: true })).status, "succeeded");
    await moveAShard(database);
    const request = { fromTrainerId: DEFAULT_TRAINER_ID, trainerId: anna };
    const said = await previewTransfer(service, request);
    const run = await driveToEnd(service, await startTransfer(service, { requestedBy: "test", ...request }));
    assertEquals(said?.moved, run.successful);
  });
});
