import { assertEquals, assertLessOrEqual } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { startBackfill } from "../../../src/runs/runs.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { AppError } from "../../../src/errors.ts";
import { assignClientToTrainer, DEFAULT_TRAINER_ID, endAssignment } from "../../../src/trainer_assignment.ts";
import { AssignmentModel } from "../../support/assignment_model.ts";
import { newIds } from "../../support/assignments.ts";
import { type TestDatabase, testDatabase } from "../../support/databases.ts";
import { withoutTrigger } from "../../support/members.ts";

const trainers = [DEFAULT_TRAINER_ID, "11111111-1111-1111-1111-111111111111"];
const unseen = newIds(4);
const members = [...trainers, ...unseen];
const later = newIds(4);

const member = fc.constantFrom(...members);
const trainer = fc.constantFrom(...trainers);
const action = fc.oneof(
  fc.record({ what: fc.constant("assign" as const), member, trainer }),
  fc.record({ what: fc.constant("end" as const), member, trainer }),
  fc.record({ what: fc.constant("start" as const), trainer, rows: fc.integer({ min: 1, max: 3 }) }),
  { arbitrary: fc.record({ what: fc.constant("step" as const), trainer }), weight: 3 },
  fc.record({ what: fc.constant("join" as const), member: fc.constantFrom(...later) }),
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

describe("any interleaving of assigning, ending and backfilling", () => {
  let database: TestDatabase;
  let sql: Sql;
  let runs: Map<string, { id: string; rows: number }>; // by trainer, those not ended
  beforeAll(async () => {
    database = await testDatabase();
    sql = database.sql;
  });
  afterAll(() => database.drop());

  async function reset(): Promise<void> {
    runs = new Map();
    await sql.unsafe(`
      truncate public.members, public.trainer_client_assignments cascade;
      truncate assignment.failures, assignment.backfill_runs cascade;
    `);
    await withoutTrigger(sql, (tx) => tx`insert into public.members (id) select unnest(${members}::uuid[])`);
  }

  it("has the result of a simple model when run one after another", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 15, maxLength: 50 }), async (actions) => {
        await reset();
        const model = new AssignmentModel(DEFAULT_TRAINER_ID, members);
        const rowsOf = new Map<string, number>();
        const joined = new Set<string>();
        for (const step of actions) {
          if (step.what === "join" && joined.has(step.member)) continue;
          if (step.what === "join") joined.add(step.member);
          const actual = await perform(step);
          const expected = predict(model, step, rowsOf);
          assertEquals(actual, expected, JSON.stringify(step));
        }
        assertEquals(await readPairs(), model.pairs());
      }),
      { numRuns: 150 },
    );
  });

  it("keeps at most one active assignment per pair and misses nobody when run at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60 }), async (actions) => {
        await reset();
        await Promise.all(actions.map((step) => perform(step).catch(ignoreKnownErrors)));
        assertLessOrEqual(await countMostActive(), 1);
        for (const [trainerId, run] of runs) {
          while ((await stepRun(run.id)) !== "finished");
          assertEquals(await countMissed(trainerId, run.id), 0);
        }
        assertLessOrEqual(await countMostActive(), 1);
      }),
      { numRuns: 30 },
    );
  });

  async function perform(step: Action): Promise<unknown> {
    switch (step.what) {
      case "assign":
        return await assignClientToTrainer(sql, step.member, { trainerId: step.trainer })
          .then(({ assigned }) => assigned, (error) => expectCode(error, "member_is_trainer", null));
      case "end":
        return await endAssignment(sql, step.trainer, step.member)
          .then(() => true, (error) => expectCode(error, "assignment_not_found", false));
      case "start": {
        const { trainer: trainerId, rows } = step;
        return await startBackfill(sql, { trainerId, batchRows: rows, requestedBy: "test" })
          .then(({ id }) => {
            runs.set(trainerId, { id, rows });
            return true;
          }, (error) => expectCode(error, "backfill_active", false));
      }
      case "step": {
        const run = runs.get(step.trainer);
        if (!run) return null;
        const work = await stepRun(run.id);
        if (work === "finished" && runs.get(step.trainer) === run) runs.delete(step.trainer);
        return work;
      }
      case "join":
        await sql`insert into public.members (id) values (${step.member}) on conflict do nothing`;
        return undefined;
    }
  }

  async function stepRun(runId: string): Promise<string> {
    const [step] = await sql<[{ work: string }]>`select work from assignment.backfill_step(${runId})`;
    return step.work;
  }

  async function readPairs(): Promise<string[]> {
    const rows = await sql<{ pair: string }[]>`
      select client_id || ' ' || trainer_id || case when bool_or(status = 'active') then ' active' else ' ended' end as pair
      from public.trainer_client_assignments
      group by client_id, trainer_id
    `;
    return rows.map(({ pair }) => pair).sort();
  }

  async function countMostActive(): Promise<number> {
    const [row] = await sql<[{ most: number }]>`
      select coalesce(max(count), 0) as most
      from (
        select count(*) from public.trainer_client_assignments where status = 'active' group by client_id, trainer_id
      ) as pairs
    `;
    return row.most;
  }

  async function countMissed(trainerId: string, runId: string): Promise<number> {
    const [row] = await sql<[{ missed: number }]>`
      select count(*) as missed
      from public.members m
      where m.id <> ${trainerId}
        and m.id <= (select max(upper_id::text)::uuid from assignment.backfill_lanes where run_id = ${runId})
        and not exists (
          select from public.trainer_client_assignments a where a.client_id = m.id and a.trainer_id = ${trainerId}
        )
    `;
    return row.missed;
  }
});

function predict(model: AssignmentModel, step: Action, rowsOf: Map<string, number>): unknown {
  switch (step.what) {
    case "assign":
      return model.assign(step.member, step.trainer);
    case "end":
      return model.end(step.member, step.trainer);
    case "start": {
      const isStarted = model.start(step.trainer);
      if (isStarted) rowsOf.set(step.trainer, step.rows);
      return isStarted;
    }
    case "step":
      return model.step(step.trainer, rowsOf.get(step.trainer) ?? 1);
    case "join":
      return model.join(step.member);
  }
}

function expectCode<T>(error: unknown, code: string, outcome: T): T {
  if (error instanceof AppError && error.code === code) return outcome;
  throw error;
}

/** Ended as soon as assigned: the assignment has nothing to show. */
function ignoreKnownErrors(error: unknown): void {
  if (!(error instanceof AppError) || error.details["sqlstate"] !== "TA008") throw error;
}
