import { hasEnded } from "../../../src/runs/progress.ts";
import { getRun } from "../../../src/runs/runs.ts";
import { ASSIGNMENTS_EVER, keepDeparted } from "../departures.ts";
import { type Experiment, type Report, sized } from "../experiment.ts";
import { countMembers, giveMembers } from "../load.ts";
import { kill, killServer } from "../processes.ts";
import { bringRules, ROOM_FOR_ALL, writeRules } from "../policy.ts";
import { awaitEnd, eventually, pause, turnPause, watchCounters } from "../runs.ts";
import type { Service } from "../service.ts";
import { kindOfTurn, type RunKind, startKind } from "../run_kinds.ts";
import { bringWebhooks, WEBHOOK_ENVIRONMENT } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

/** Of a run of the long version, at most. */
const STEPS = 100;

type Victim = "service" | "backend" | "server";

/** kill -9 of the service, of a backend, of the whole server, at random moments of runs, with signups going on. */
export const kills: Experiment = {
  name: "kills",
  runsOnCluster: true,
  summary:
    "kill -9 of the service, a backend or the server during backfills, transfers, reassigning and signups by rules: nothing lost, nothing counted twice, seats exact, one line for each change, each change delivered",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, {}, async (world) => {
      const { journal, random } = world;
      const onServer = world.cluster === null;
      const wanted = sized(scale, { short: onServer ? 6 : 3, full: 200, long: 1000 });
      const killed: Record<Victim, number> = { service: 0, backend: 0, server: 0 };
      let next: Victim[] = [];
      await keepDeparted(world.sql, { onShards: !onServer });
      const webhooks = await bringWebhooks(world, options);
      const service = await world.startService({
        environment: {
          // a long run's steps grow with its members, and so do their rests
          BACKFILL_REST_RATIO: sized(scale, { short: "4", full: "4", long: "1" }),
          DATABASE_POOL_SIZE: "5",
          ...WEBHOOK_ENVIRONMENT,
        },
      });
      const trainers = await bringRules(world, { limited: 300, waiting: ROOM_FOR_ALL });
      const load = world.startLoad({
        longestPauseMs: sized(scale, { short: 40, full: 40, long: 3_000 }),
        sessions: 3,
        departures: ["leave", "endDirectly"], // of what is deleted, only the proof finds the members
        trainerIds: [world.trainerId, ...Object.values(trainers).flat()],
      });
      const each = sized(scale, { short: onServer ? 2 : 1, full: 10, long: 10 }); // of one run
      const given = sized(scale, { short: 1_500, full: 4_000, long: 500 }); // a run's length grows with its members
      const fewestRows = sized(scale, { short: 100, full: 25, long: 25 });
      let looks = 0;
      const runs: RunKind[] = [];

      for (let done = 0; done < wanted;) {
        const kind = kindOfTurn(runs.length);
        if (kind !== "transfer") await giveMembers(world.sql, journal, random, given);
        await writeRules(world, trainers);
        // Members grow by every run: as many steps as in the first ones.
        const batchRows = Math.max(fewestRows, Math.ceil(await countMembers(world.sql) / STEPS));
        const runId = await startKind(kind, world, trainers, batchRows);
        runs.push(kind);
        const watch = watchCounters(() => world.sql, runId, report, ASSIGNMENTS_EVER);
        for (let ofThis = 0; ofThis < each && done < wanted; ofThis++, done++) {
          if (await goesOn(world.sql, runId, report) === "ended") break;
          await pause(random.integer(0, 200));
          if (ofThis === 0) {
            for (let turn = 0; turn < 2; turn++) await turnPause(world.sql, journal, runId);
          }
          if (next.length === 0) next = random.shuffle(["service", "backend", "server"]);
          const victim = next.pop() ?? "server";
          killed[victim] += 1;
          await killOne(victim, world, service);
          await world.cluster?.moveShard();
        }
        await awaitEnd(() => world.sql, runId, report);
        looks += await watch.stop();
        if (report.violations.length > 0) break;
      }
      await load.stop();
      report.figure(
        "kills",
        `${killed.service} of the service, ${killed.backend} of a backend, ${killed.server} of the server`,
      );
      report.figure("runs that ended by themselves", runs.join(", "));
      report.figure("snapshots of counters", looks);
      report.expect(looks > 0, "counters are looked at while runs are under way", "nobody could look");
      const consumed = await webhooks.settle();
      await expectQuietEnd(service, report);
      await world.judge({
        runsEnded: true,
        noStragglers: world.has("signups without failures"),
        webhooks: consumed,
      });
    });
  },
};

/** Waits until a step has been taken since now: after a kill the service rests, and another would meet nothing. */
async function goesOn(sql: World["sql"], runId: string, report: Report): Promise<"moved" | "ended"> {
  let before = Infinity;
  let isOver = false;
  await eventually(report, "a run goes on after a kill", 60_000, async () => {
    const run = await getRun(sql, runId);
    const hasMoved = run.processed > before;
    before = Math.min(before, run.processed);
    isOver = hasEnded(run);
    return hasMoved || isOver;
  });
  return isOver ? "ended" : "moved";
}

/**
 * Kills, and brings back what does not come back by itself: a supervisor's part. On a cluster the server is a worker's, the
 * backend one of the coordinator, which then restarts itself.
 */
async function killOne(victim: Victim, world: World, service: Service): Promise<void> {
  const { sql, server, cluster } = world;
  if (victim === "service") {
    await service.stop("SIGKILL");
    await service.start();
  } else if (cluster !== null) {
    await (victim === "backend" ? cluster.crashCoordinator(sql) : cluster.crashWorker(sql));
  } else if (victim === "backend") {
    // A backend in the middle of a step where there is one; the server then restarts itself.
    const [backend] = await sql<{ pid: number }[]>`
      select pid
      from pg_stat_activity
      where application_name like 'trainer-assignment%' or application_name = 'load'
      order by state = 'active' desc, query like '%backfill_step%' desc
      limit 1
    `;
    if (backend) kill(backend.pid, "SIGKILL");
    await answers(sql);
  } else {
    await killServer(server);
    await server.start();
    await answers(sql);
  }
}

/** Waits until the server takes queries again. */
async function answers(sql: World["sql"]): Promise<void> {
  for (;;) {
    try {
      await pause(20);
      await sql`select`;
      return;
    } catch {
      // it recovers
    }
  }
}

/** The service must still be there, and stop when it is asked to. */
async function expectQuietEnd(service: Service, report: Report): Promise<void> {
  const code = await service.stop("SIGTERM");
  report.expect(code === 0, "the service stops cleanly", `exit code ${code}`);
}
