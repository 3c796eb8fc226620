import { hasEnded } from "../../src/runs/progress.ts";
import { getRun, retryRun } from "../../src/runs/runs.ts";
import { stepRun } from "../../src/runs/steps.ts";
import type { Sql } from "../../src/database/sql.ts";
import { acceptAssignments, refuseAssignments } from "../support/members.ts";
import { countClients } from "../support/policies.ts";
import { ASSIGNMENTS_EVER, deleteMember } from "./departures.ts";
import type { Report } from "./experiment.ts";
import { outcomeOfSeveral } from "./journal.ts";
import { assignByHand, endAssignment, giveMembers } from "./load.ts";
import { setCapacity, type Trainers, writeRules } from "./policy.ts";
import { awaitEnd, eventually, pause, turnPause, watchCounters } from "./runs.ts";
import type { World } from "./world.ts";

/** Whom a transfer moves, and to whom: by default all, to whom the policy chooses. */
export interface Move {
  fromTrainerId: string;
  trainerId?: string;
  memberIds?: string[];
  /** First digits of the members' ids. */
  segments?: string;
  notes?: string;
  batchRows?: number;
}

/**
 * Starts a transfer, keeps whom it found there, for the oracle, and returns its id.
 * @throws {Error} when it did not start
 */
export async function startMove({ sql, journal }: World, move: Move): Promise<string> {
  const {
    fromTrainerId,
    trainerId = null,
    memberIds = null,
    segments = null,
    notes = null,
    batchRows = null,
  } = move;
  const condition = segments === null
    ? null
    : JSON.stringify({ field: "segment", op: "in", value: [...segments] });
  let runId: string | undefined;
  await journal.record(
    "start",
    [],
    ({ actor, requestId }) =>
      outcomeOfSeveral(sql.begin(async (transaction) => {
        await transaction`
        insert into public.transferred (request_id, assignment_id, client_id)
        select ${requestId}, a.id, a.client_id
        from public.trainer_client_assignments a
        where a.trainer_id = ${fromTrainerId}
          and a.status = 'active'
          and (${memberIds}::uuid[] is null or a.client_id = any (${memberIds}::uuid[]))
          and (${segments}::text is null or position(left(a.client_id::text, 1) in ${segments}::text) > 0)
      `;
        const [row] = await transaction<[{ id: string }]>`
        select assignment.start_transfer(
          ${actor}, ${fromTrainerId}, ${trainerId}, ${memberIds}::uuid[], ${condition}::text::jsonb, ${notes},
          p_batch_rows => ${batchRows}::integer, p_request_id => ${requestId}
        ) as id
      `;
        runId = row.id;
      })),
  );
  return started(runId);
}

/**
 * Starts a run that replaces what the policy would no longer choose, and returns its id.
 * @throws {Error} when it did not start
 */
export async function startReassigning({ sql, journal }: World, batchRows: number): Promise<string> {
  let runId: string | undefined;
  await journal.record("start", [], async ({ actor, requestId }) => {
    const [row] = await sql<[{ id: string }]>`
      select assignment.start_backfill(
        ${actor}, p_batch_rows => ${batchRows}, p_reassigns => true, p_request_id => ${requestId}
      ) as id
    `;
    runId = row.id;
  });
  return started(runId);
}

function started(runId: string | undefined): string {
  if (runId === undefined) throw new Error("the run did not start");
  return runId;
}

/**
 * Two trainers leave: their clients are moved by selection, by condition, by the policy and to one trainer, some refused,
 * some without room, with pauses, while a new policy comes; what it no longer chooses is reassigned; in the end both are
 * deleted.
 */
export async function moveClients(
  world: World,
  trainers: Trainers,
  { given, report, disturb }: {
    /** Members who do not leave. */
    given: string[];
    report: Report;
    /** Cuts the service off. */
    disturb: () => Promise<void>;
  },
): Promise<void> {
  const { sql, journal } = world;
  const [first = "", second = ""] = trainers.leaving;
  const [, relief = ""] = trainers.team;
  const [narrow = ""] = trainers.limited;
  const memberIds = await arrangeByHand(world, given, { first, second, relief });

  const move = (move: Move, events: Events = {}) => follow(world, report, startMove(world, move), events);

  await refuseAssignments(sql, "new.source = 'transfer' and new.client_id::text ~ '[0-3]$'");
  await move({ fromTrainerId: first, trainerId: relief, memberIds, notes: "moved" });
  await acceptAssignments(sql);

  await move({ fromTrainerId: first, segments: "9" }, {
    before: (runId) => giveBehindTransfer(world, runId, first),
  });
  await move({ fromTrainerId: first, batchRows: 20 }, {
    async meanwhile(runId) {
      await turnPause(sql, journal, runId);
      await writeRules(world, trainers, { haveLeft: true });
      await turnPause(sql, journal, runId);
      await disturb();
    },
  });
  await follow(world, report, startReassigning(world, 100), {
    async meanwhile(runId) {
      for (let turn = 0; turn < 2; turn++) await turnPause(sql, journal, runId);
    },
  });

  const [clients = 0] = await countClients(sql, [narrow]);
  await setCapacity(world, narrow, clients + 3);
  await move({ fromTrainerId: second, trainerId: narrow });
  for (const trainerId of [first, second]) {
    await move({ fromTrainerId: trainerId });
    if (report.hasNoticedBug) return;
    await endAll(world, trainerId);
    const hasLeft = await deleteMember(sql, journal, trainerId);
    report.expect(hasLeft, "a trainer without clients can be deleted", trainerId);
  }
}

/** Ends by hand what no transfer could move: who has had every other trainer that the policy knows. */
async function endAll({ sql, journal }: World, trainerId: string): Promise<void> {
  const rows = await sql<{ clientId: string }[]>`
    select client_id
    from public.trainer_client_assignments
    where trainer_id = ${trainerId} and status = 'active'
  `;
  for (const { clientId } of rows) await endAssignment(sql, journal, clientId, trainerId);
}

/** Some clients of the first have had the relief, some have it, some have the second by hand. Returns them and others. */
async function arrangeByHand(
  { sql, journal }: World,
  given: string[],
  { first, second, relief }: { first: string; second: string; relief: string },
): Promise<string[]> {
  const rows = await sql<{ clientId: string }[]>`
    select client_id
    from public.trainer_client_assignments
    where trainer_id = ${first} and status = 'active' and client_id = any (${given}::uuid[])
    order by id
    limit 100
  `;
  const ids = rows.map(({ clientId }) => clientId);
  for (const id of ids.slice(0, 10)) {
    await assignByHand(sql, journal, id, relief);
    await endAssignment(sql, journal, id, relief);
  }
  for (const id of ids.slice(10, 20)) await assignByHand(sql, journal, id, relief);
  for (const id of ids.slice(20, 30)) await assignByHand(sql, journal, id, second);
  return ids;
}

/** What happens to a run: before its first step, and while it goes on. */
interface Events {
  before?(runId: string): Promise<void>;
  meanwhile?(runId: string): Promise<void>;
}

/** Awaits a run to its end, and looks at its counters meanwhile. What failed is tried once more. */
async function follow(
  { sql }: World,
  report: Report,
  starting: Promise<string>,
  { before, meanwhile }: Events,
): Promise<void> {
  const runId = await starting;
  if (report.hasNoticedBug) return;
  const watch = watchCounters(() => sql, runId, report, ASSIGNMENTS_EVER);
  await before?.(runId);
  await Promise.all([meanwhile?.(runId), stepAlong(sql, runId, report)]);
  const ended = await awaitEnd(() => sql, runId, report);
  await watch.stop();
  if (ended === null || ended.failed === 0) return;
  const { id } = await retryRun(sql, runId, "experiment");
  await stepAlong(sql, id, report);
  await awaitEnd(() => sql, id, report);
}

/** Steps a run to its end, besides the service, as another replica would that looked at once. */
async function stepAlong(sql: Sql, runId: string, report: Report): Promise<void> {
  await eventually(report, "every run ends by itself", 60_000, async () => {
    for (;;) {
      const { work } = await stepRun(sql, runId);
      if (work === "finished") return true;
      if (work === "busy") await pause(5);
      if (work === "stopped") return hasEnded(await getRun(sql, runId));
    }
  });
}

/** Adds clients before the first whom the transfer looks at: only its closing proof can find them. */
async function giveBehindTransfer(world: World, runId: string, trainerId: string): Promise<void> {
  const { sql, journal, random } = world;
  await turnPause(sql, journal, runId);
  if ((await getRun(sql, runId)).status !== "paused") return;
  const ids = await giveMembers(sql, journal, random, 5, "9");
  const rows = ids.map((clientId) => ({ id: `00000000${random.uuid().slice(8)}`, clientId }));
  await sql`
    with given as (
      insert into public.trainer_client_assignments (id, trainer_id, client_id, source)
      select r.id, ${trainerId}, r.client_id, 'signup'
      from unnest(${rows.map(({ id }) => id)}::uuid[], ${ids}::uuid[]) as r (id, client_id)
      returning id, client_id
    )
    insert into public.transferred (request_id, assignment_id, client_id)
    select l.request_id, g.id, g.client_id
    from given g
    join assignment.audit_log l on l.subject = ${`run:${runId}`} and l.action = 'run.started'
  `;
  await turnPause(sql, journal, runId);
}
