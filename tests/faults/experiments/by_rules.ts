import { retryRun, startBackfill } from "../../../src/runs/runs.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { acceptAssignments, refuseAssignments } from "../../support/members.ts";
import { cutService, startWork } from "../background.ts";
import { ASSIGNMENTS_EVER, keepDeparted } from "../departures.ts";
import { type Experiment, sized } from "../experiment.ts";
import { endAssignment, giveMembers } from "../load.ts";
import { bringRules, ROOM_FOR_ALL, setCapacity, writeRules } from "../policy.ts";
import { awaitEnd, giveBehindCursor, steerAndCut, watchCounters } from "../runs.ts";
import { moveClients } from "../transfers.ts";
import { bringWebhooks } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

/**
 * The same as in `everyday`, with rules: trainers fill up, a new version comes in the middle of a run, members leave, and so
 * do two trainers once their clients are moved; who waits is assigned at last.
 */
export const byRules: Experiment = {
  name: "by_rules",
  summary:
    "an ordinary day with rules: trainers fill up, runs and transfers are paused, resumed and cut off, members and trainers leave: every promise holds",
  run: (options) =>
    inWorld(options, { ownServer: false }, async (world) => {
      const { sql, journal, random } = world;
      const { scale, report } = options;
      await keepDeparted(sql);
      const webhooks = await bringWebhooks(world, options);
      startWork(world);
      const members = options.plant ? 1_500 : sized(scale, { short: 3_000, full: 30_000, long: 300_000 });
      const trainers = await bringRules(world, {
        limited: Math.floor(members / 10),
        waiting: Math.floor(members / 40),
      });
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
      await world.judge({
        runsEnded: true,
        longestSignupMs: 2_000,
        webhooks: await webhooks.settle(),
      });
      if (report.hasNoticedBug) return;
      for (const id of trainers.waiting) await setCapacity(world, id, ROOM_FOR_ALL);
      await retryFailures(sql);
      const last = await startBackfill(sql, { requestedBy: "experiment" });
      await awaitEnd(() => sql, last.id, report);
      await world.judge({ runsEnded: true, drained: true, webhooks: await webhooks.settle() });
    }),
};

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
