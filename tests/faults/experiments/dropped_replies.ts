import { startBackfill } from "../../../src/runs/runs.ts";
import { type Experiment, sized } from "../experiment.ts";
import { giveMembers } from "../load.ts";
import { startProxy } from "../proxy.ts";
import { awaitEnd, pause, watchCounters } from "../runs.ts";
import { inWorld } from "../world.ts";

/** The database commits, and its answer gets lost: for steps of backfills, their bookkeeping, signups and HTTP requests. */
export const droppedReplies: Experiment = {
  name: "dropped_replies",
  summary:
    "the reply to a commit is lost on the way, again and again: counters equal rows, requests repeated do no harm",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, {}, async (world) => {
      const { sql, journal, random, server } = world;
      const wanted = sized(scale, { short: 25, full: 1_000, long: 10_000 });
      const to = Number(new URL(server.url).port);
      const chance = random.fork();
      let haveStarted = false; // a service that loses its first connections says so and ends: it is started again from outside
      const byKind = { "backfill steps": 0, signups: 0, others: 0 };
      const proxy = await startProxy({
        to,
        dropReply(statement) {
          if (!haveStarted) return false;
          const isStep = statement.includes("backfill_step");
          if (!chance.chance(isStep ? 0.5 : 0.05)) return false;
          byKind[
            isStep ? "backfill steps" : statement.includes("into public.members") ? "signups" : "others"
          ] += 1;
          return true;
        },
      });
      world.atEnd(() => proxy.close());
      const databaseUrl = proxy.url(server.url);
      const replicas = sized(scale, { short: 1, full: 2, long: 4 });
      const services = [];
      for (let replica = 0; replica < replicas; replica++) {
        services.push(
          await world.startService({
            databaseUrl,
            environment: { BACKFILL_LANES: "4", DATABASE_POOL_SIZE: "12" },
          }),
        );
      }
      haveStarted = true;
      const load = world.startLoad({ url: databaseUrl, longestPauseMs: 20 });

      let runs = 0;
      let looks = 0;
      for (; proxy.dropped() < wanted; runs++) {
        const given = await giveMembers(
          sql,
          journal,
          random,
          sized(scale, { short: 21_000, full: 80_000, long: 80_000 }),
        );
        const rows = sized(scale, { short: 2_000, full: 500, long: 500 });
        const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: rows });
        const watch = watchCounters(() => sql, run.id, report);
        const [service] = services;
        for (const id of given.slice(0, 10)) {
          // Repeated until it is answered, as a client would: it is the same wish each time.
          await journal.record("assign", [id, world.trainerId], async () => {
            for (let status = 503; status === 503;) {
              const response = await service?.call(`PUT /v1/trainers/${world.trainerId}/clients/${id}`, {});
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
        await awaitEnd(() => sql, run.id, report, 300_000);
        looks += await watch.stop();
        if (report.violations.length > 0) break;
      }
      await load.stop();
      report.figure("replies dropped", proxy.dropped());
      report.figure("chosen", Object.entries(byKind).map(([kind, count]) => `${count} ${kind}`).join(", "));
      report.figure("runs", runs);
      report.figure("snapshots of counters", looks);
      report.expect(looks > 0, "counters are looked at while runs are under way", "nobody could look");
      await world.judge({ runsEnded: true, noStragglers: true });
    });
  },
};
