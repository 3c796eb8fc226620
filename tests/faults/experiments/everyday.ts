import { hasEnded } from "../../../src/runs/progress.ts";
import { getRun, retryRun, startBackfill } from "../../../src/runs/runs.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";
import { cutService, startWork } from "../background.ts";
import { ASSIGNMENTS_EVER, keepDeparted } from "../departures.ts";
import { type Experiment, type ExperimentOptions, sized } from "../experiment.ts";
import { assignByHand, endAssignment, giveMembers } from "../load.ts";
import { bringRules, setCapacity, writeRules } from "../policy.ts";
import { awaitEnd, pause, turnPause, watchCounters } from "../runs.ts";
import { moveClients } from "../transfers.ts";
import { bringWebhooks } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

/** Everything at once that an ordinary day brings; the quickest look at most of the promises. */
export const everyday: Experiment = {
  name: "everyday",
  summary:
    "signups in all forms, with and without rules, runs and transfers paused, resumed and cut off, members and trainers who leave, causes that come and go, consumers of messages who refuse, hang and go away: every promise holds",
  async run(options) {
    await liveByRules(options);
    if (!options.report.hasNoticedBug) await liveByDefault(options);
  },
};

async function liveByDefault(options: ExperimentOptions): Promise<void> {
  await inWorld(options, { ownServer: false }, async (world) => {
    const { sql, journal, random } = world;
    const { scale, report } = options;
    const webhooks = await bringWebhooks(world, options);
    startWork(world);
    const rounds = sized(scale, { short: 1, full: 10, long: 100 });
    const members = options.plant ? 3_000 : 21_000; // above 20,000 a run has two lanes
    let looks = 0;

    for (let round = 0; round < rounds; round++) {
      const given = await giveMembers(sql, journal, random, members);
      const load = world.startLoad({ longestPauseMs: 5, steering: 0.2, sessions: 3 });
      await refuseAssignments(sql, "new.source = 'backfill' and new.client_id::text ~ '^.0f'");
      const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 200 });
      const watch = watchCounters(() => sql, run.id, report);
      await Promise.all([
        steerAndCut(world, run.id),
        giveBehindCursor(world, run.id, members),
        ...given.slice(0, 40).flatMap((id) => [assign(world, id), assign(world, id)]),
        ...given.slice(40, 50).map((id) => assignAgain(world, id)),
      ]);
      const ended = await awaitEnd(() => sql, run.id, report);
      looks += await watch.stop();
      await acceptAssignments(sql);
      if (ended !== null && ended.failed > 0) {
        await awaitEnd(() => sql, (await retryRun(sql, run.id, "experiment")).id, report);
      }

      await load.stop();
      if (report.hasNoticedBug) return;

      await bringCauses(world);
      await world.judge({ runsEnded: true, longestSignupMs: 2_000, webhooks: await webhooks.settle() });
      if (report.hasNoticedBug) return;
      await retryFailures(sql);
      await world.judge({ runsEnded: true, drained: true, webhooks: await webhooks.settle() });
    }
    report.figure("rounds", rounds);
    report.figure("snapshots of counters", looks);
    report.figure("members", await countMembers(sql));
  });
}

/**
 * The same with rules: trainers fill up, a new version comes in the middle of a run, members leave, and so do two trainers
 * once their clients are moved; who waits is assigned at last.
 */
async function liveByRules(options: ExperimentOptions): Promise<void> {
  await inWorld(options, { ownServer: false }, async (world) => {
    const { sql, journal, random } = world;
    const { scale, report } = options;
    await keepDeparted(sql);
    const webhooks = await bringWebhooks(world, options);
    startWork(world);
    const members = options.plant ? 1_500 : sized(scale, { short: 3_000, full: 30_000, long: 300_000 });
    const limited = members / 10;
    const trainers = await bringRules(world, { limited, waiting: members / 40 });
    const load = world.startLoad({
      longestPauseMs: 5,
      steering: 0.3,
      sessions: 3,
      departures: ["leave", "endDirectly", "deleteDirectly"],
      trainerIds: Object.values(trainers).flat(),
    });
    await endSome(world);
    const given = await giveMembers(sql, journal, random, members);
    await refuseAssignments(sql, "new.source = 'backfill' and new.client_id::text ~ '^.0f'");
    const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 100 });
    const watch = watchCounters(() => sql, run.id, report, ASSIGNMENTS_EVER);
    await Promise.all([
      steerAndCut(world, run.id),
      giveBehindCursor(world, run.id, members),
      writeRules(world, trainers),
    ]);
    const ended = await awaitEnd(() => sql, run.id, report);
    await watch.stop();
    await acceptAssignments(sql);
    if (ended !== null && ended.failed > 0) {
      await awaitEnd(() => sql, (await retryRun(sql, run.id, "experiment")).id, report);
    }
    if (!report.hasNoticedBug) {
      await moveClients(world, trainers, { given, report, disturb: () => cutService(sql) });
    }
    await load.stop();
    if (report.hasNoticedBug) return;
    await world.judge({ runsEnded: true, longestSignupMs: 2_000, webhooks: await webhooks.settle() });
    if (report.hasNoticedBug) return;
    for (const id of trainers.waiting) await setCapacity(world, id, members);
    await retryFailures(sql);
    const last = await startBackfill(sql, { requestedBy: "experiment" });
    await awaitEnd(() => sql, last.id, report);
    await world.judge({ runsEnded: true, drained: true, webhooks: await webhooks.settle() });
  });
}

/** Signs members up and ends what the rules gave them: no run may revive it. */
async function endSome({ sql, journal, random }: World): Promise<void> {
  const ids = Array.from({ length: 40 }, random.uuid);
  await journal.record("signup", ids, async () => {
    await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  });
  const pairs = await sql<{ clientId: string; trainerId: string }[]>`
    select client_id, trainer_id
    from public.trainer_client_assignments
    where client_id = any (${ids}::uuid[]) and rule is not null
    order by client_id, trainer_id
  `;
  for (const { clientId, trainerId } of pairs) await endAssignment(sql, journal, clientId, trainerId);
}

async function assign({ sql, journal, trainerId }: World, id: string): Promise<void> {
  await assignByHand(sql, journal, id, trainerId);
}

/** Who has left comes back. */
async function assignAgain(world: World, id: string): Promise<void> {
  await assign(world, id);
  await endAssignment(world.sql, world.journal, id, world.trainerId);
  await assign(world, id);
}

/** Adds members unseen where the run has been already: only its closing proof can find them. */
async function giveBehindCursor(
  { sql, journal, random }: World,
  runId: string,
  members: number,
): Promise<void> {
  while (
    hasEnded(await getRun(sql, runId)) === false && (await getRun(sql, runId)).processed < members / 10
  ) {
    await pause(5);
  }
  await giveMembers(sql, journal, random, 20, "00");
}

/** Pauses and resumes the run, and cuts the service's connections, a few times each. */
async function steerAndCut({ sql, journal, random }: World, runId: string): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await turnPause(sql, journal, runId);
    await pause(random.integer(5, 30));
    if (turn === 1) await cutService(sql);
  }
}

/** One after the other, each until somebody has signed up meanwhile: assignments refused, locked, and without their trainer. */
async function bringCauses(world: World): Promise<void> {
  const { sql, random, trainerId } = world;
  const load = world.startLoad({ longestPauseMs: 5, steering: 0, sessions: 3 });
  await refuseAssignments(sql, "new.client_id::text ~ '^[0-7]'");
  await untilMore(sql, 20);
  await retryFailures(sql);
  await untilMore(sql, 10);
  await acceptAssignments(sql);

  await sql.begin(async (locker) => {
    await locker`lock table public.trainer_client_assignments in access exclusive mode`;
    await pause(350);
  });

  await sql`update assignment.settings set default_trainer_id = ${random.uuid()}`;
  await untilMore(sql, 20);
  await sql`update assignment.settings set default_trainer_id = ${trainerId}`;
  await untilMore(sql, 10);
  await load.stop();
}

/** Waits until so many members more have signed up; where a bug keeps them from it, not for ever. */
async function untilMore(sql: Sql, members: number): Promise<void> {
  const before = await countMembers(sql);
  for (let looks = 0; looks < 40; looks++) {
    await pause(50);
    if (await countMembers(sql) >= before + members) return;
  }
}

async function countMembers(sql: Sql): Promise<number> {
  const [row] = await sql<[{ count: number }]>`select count(*) from public.members`;
  return row.count;
}
