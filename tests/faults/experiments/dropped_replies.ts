import { ASSIGNMENTS_EVER, keepDeparted } from "../departures.ts";
import { type Experiment, type Report, sized } from "../experiment.ts";
import { giveMembers } from "../load.ts";
import { startProxy } from "../proxy.ts";
import { bringRules, ROOM_FOR_ALL, writeRules } from "../policy.ts";
import { kindOfTurn, RUN_KINDS, startKind } from "../run_kinds.ts";
import { awaitEnd, pause, watchCounters } from "../runs.ts";
import type { Service } from "../service.ts";
import { bringWebhooks, WEBHOOK_ENVIRONMENT } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

/** What a statement is for, by what its text has; the chance that its reply gets lost. */
const KINDS = [
  { name: "steps of runs", words: /backfill_step/, chance: 0.5 },
  { name: "signups", words: /into public\.members/, chance: 0.05 },
  { name: "webhooks", words: /outbox|deliver/, chance: 0.05 },
  { name: "others", words: /./, chance: 0.05 },
];

/** The database commits, and its answer gets lost: for steps of runs, their bookkeeping, signups, webhooks and HTTP requests. */
export const droppedReplies: Experiment = {
  name: "dropped_replies",
  summary:
    "the reply to a commit is lost on the way, again and again, during backfills, transfers and reassigning by rules: counters equal rows, requests repeated do no harm, each change delivered",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, {}, async (world) => {
      const { sql, journal, random, server } = world;
      const wanted = sized(scale, { short: 25, full: 1_000, long: 10_000 });
      const to = Number(new URL(server.url).port);
      const chance = random.fork();
      let haveStarted = false; // a service that loses its first connections says so and ends: it is started again from outside
      const dropped = new Map(KINDS.map(({ name }) => [name, 0]));
      const proxy = await startProxy({
        to,
        dropReply(statement) {
          const kind = KINDS.find(({ words }) => words.test(statement));
          if (!haveStarted || kind === undefined || !chance.chance(kind.chance)) return false;
          dropped.set(kind.name, (dropped.get(kind.name) ?? 0) + 1);
          return true;
        },
      });
      world.atEnd(() => proxy.close());
      const databaseUrl = proxy.url(server.url);
      await keepDeparted(sql);
      const webhooks = await bringWebhooks(world, options);
      const replicas = sized(scale, { short: 1, full: 2, long: 4 });
      const services: Service[] = [];
      for (let replica = 0; replica < replicas; replica++) {
        services.push(
          await world.startService({
            databaseUrl,
            environment: { BACKFILL_LANES: "4", DATABASE_POOL_SIZE: "12", ...WEBHOOK_ENVIRONMENT },
          }),
        );
      }
      const given = sized(scale, { short: 21_000, full: 80_000, long: 20_000 }); // steps count, not rows
      const trainers = await bringRules(world, { limited: 300, waiting: ROOM_FOR_ALL });
      haveStarted = true;
      const load = world.startLoad({
        url: databaseUrl,
        longestPauseMs: 20,
        trainerIds: [world.trainerId, ...Object.values(trainers).flat()],
      });

      let runs = 0;
      let looks = 0;
      const batchRows = sized(scale, { short: 2_000, full: 500, long: 100 });
      for (; proxy.dropped() < wanted || runs < RUN_KINDS.length; runs++) {
        const kind = kindOfTurn(runs);
        if (kind !== "transfer") await giveMembers(sql, journal, random, given);
        await writeRules(world, trainers);
        const runId = await startKind(kind, world, trainers, batchRows);
        const watch = watchCounters(() => sql, runId, report, ASSIGNMENTS_EVER);
        await assignOverHttp(world, services, report);
        await awaitEnd(() => sql, runId, report, 300_000);
        looks += await watch.stop();
        if (report.violations.length > 0) break;
      }
      await load.stop();
      report.figure("replies dropped", proxy.dropped());
      report.figure("chosen", [...dropped].map(([kind, count]) => `${count} of ${kind}`).join(", "));
      report.figure("runs", runs);
      report.figure("snapshots of counters", looks);
      report.expect(looks > 0, "counters are looked at while runs are under way", "nobody could look");
      const consumed = await webhooks.settle();
      await world.judge({ runsEnded: true, noStragglers: true, webhooks: consumed });
    });
  },
};

/** Assigns new members, repeated until it is answered, as a client would: it is the same wish each time. */
async function assignOverHttp(
  { sql, journal, random, trainerId }: World,
  [service]: Service[],
  report: Report,
): Promise<void> {
  for (const id of await giveMembers(sql, journal, random, 10)) {
    await journal.record("assign", [id, trainerId], async () => {
      for (let status = 503; status === 503;) {
        const response = await service?.call(`PUT /v1/trainers/${trainerId}/clients/${id}`, {});
        await response?.body?.cancel();
        status = response?.status ?? 0;
        report.expect(
          [200, 201, 503].includes(status),
          "a request whose reply got lost says that the database is away",
          `status ${status}`,
        );
        if (status === 503) await pause(20);
      }
    });
  }
}
