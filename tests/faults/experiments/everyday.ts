import { retryRun, startBackfill } from "../../../src/runs/runs.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { startWork } from "../background.ts";
import { type Experiment, sized } from "../experiment.ts";
import { assignByHand, countMembers, endAssignment, giveMembers } from "../load.ts";
import { accept, refuse } from "../refusals.ts";
import { awaitEnd, giveBehindCursor, pause, steerAndCut, watchCounters } from "../runs.ts";
import { bringWebhooks } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

/** Everything at once that an ordinary day brings, with a default trainer and no rules. */
export const everyday: Experiment = {
  name: "everyday",
  runsOnCluster: true,
  summary:
    "signups in all forms, runs paused, resumed and cut off, causes that come and go, consumers of messages who refuse, hang and go away: every promise holds",
  run: (options) =>
    inWorld(options, { ownServer: false }, async (world) => {
      const { sql, journal, random, cluster } = world;
      const { scale, report } = options;
      const webhooks = await bringWebhooks(world, options);
      startWork(world);
      const rounds = sized(scale, { short: 1, full: 10, long: 100 });
      const members = options.plant ? 3_000 : 21_000; // above 20,000 a run has two lanes
      let looks = 0;

      for (let round = 0; round < rounds; round++) {
        const given = await giveMembers(sql, journal, random, members);
        const load = world.startLoad({ longestPauseMs: 5, steering: 0.2, sessions: 3 });
        await refuse(world, "new.source = 'backfill' and new.client_id::text ~ '^.0f'");
        const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 200 });
        const watch = watchCounters(() => sql, run.id, report);
        if (cluster !== null) {
          await giveBehindCursor(world, run.id, members);
          await cluster.crashWorker(sql);
        }
        await Promise.all([
          steerAndCut(world, run.id),
          cluster === null ? giveBehindCursor(world, run.id, members) : cluster.moveShard(),
          ...given.slice(0, 40).flatMap((id) => [assign(world, id), assign(world, id)]),
          ...given.slice(40, 50).map((id) => assignAgain(world, id)),
        ]);
        const ended = await awaitEnd(() => sql, run.id, report);
        looks += await watch.stop();
        await accept(world);
        if (ended !== null && ended.failed > 0) {
          await awaitEnd(() => sql, (await retryRun(sql, run.id, "experiment")).id, report);
        }

        await load.stop();
        if (report.hasNoticedBug) return;

        await bringCauses(world);
        await world.judge({
          runsEnded: true,
          ...world.has("a signup's time") ? { longestSignupMs: 2_000 } : {},
          webhooks: await webhooks.settle(),
        });
        if (report.hasNoticedBug) return;
        await retryFailures(sql);
        await world.judge({ runsEnded: true, drained: true, webhooks: await webhooks.settle() });
      }
      report.figure("rounds", rounds);
      report.figure("snapshots of counters", looks);
      report.expect(looks > 0, "counters are looked at while runs are under way", "nobody could look");
      report.figure("members", await countMembers(sql));
    }),
};

async function assign({ sql, journal, trainerId }: World, id: string): Promise<void> {
  await assignByHand(sql, journal, id, trainerId);
}

/** Who has left comes back. */
async function assignAgain(world: World, id: string): Promise<void> {
  await assign(world, id);
  await endAssignment(world.sql, world.journal, id, world.trainerId);
  await assign(world, id);
}

/** One after the other, each until somebody has signed up meanwhile: assignments refused, locked, and without their trainer. */
async function bringCauses(world: World): Promise<void> {
  const { sql, random, trainerId, cluster, has } = world;
  const load = world.startLoad({ longestPauseMs: 5, steering: 0, sessions: 3 });
  await refuse(world, "new.client_id::text ~ '^[0-7]'");
  await untilMore(sql, 20);
  await retryFailures(sql);
  await cluster?.crashWorker(sql);
  await cluster?.moveShard();
  await untilMore(sql, 10);
  await accept(world);

  await sql.begin(async (locker) => {
    await locker`lock table public.trainer_client_assignments in access exclusive mode`;
    await pause(350);
  });

  if (has("trainers' foreign key")) {
    await sql`update assignment.settings set default_trainer_id = ${random.uuid()}`;
    await untilMore(sql, 20);
    await sql`update assignment.settings set default_trainer_id = ${trainerId}`;
  }
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
