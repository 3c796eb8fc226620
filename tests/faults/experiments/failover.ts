import { startBackfill } from "../../../src/runs/runs.ts";
import { closeDatabase, openDatabase } from "../../../src/database/connection.ts";
import type { Sql } from "../../../src/database/sql.ts";
import type { TestServer } from "../../support/servers.ts";
import { joinHosts, startStandby } from "../../support/standby.ts";
import { describeAnswers, startCallers } from "../callers.ts";
import { type Experiment, type ExperimentOptions, type Report, sized } from "../experiment.ts";
import { readJournal } from "../journal.ts";
import { giveMembers } from "../load.ts";
import { killServer } from "../processes.ts";
import { startProxy } from "../proxy.ts";
import { awaitEnd, eventually, pause } from "../runs.ts";
import { inWorld, type World } from "../world.ts";

/** The primary is gone and its standby takes over, during signups and a backfill. */
export const failover: Experiment = {
  name: "failover",
  summary:
    "the primary killed and its standby promoted: nothing acknowledged is lost where it is synchronous, the service goes on",
  async run(options) {
    const rounds = sized(options.scale, { short: 1, full: 5, long: 50 });
    for (let round = 0; round < rounds; round++) {
      const seed = options.seed + round;
      await toSynchronous({ ...options, seed });
      await toAsynchronous({ ...options, seed });
    }
    options.report.figure("rounds of each", rounds);
  },
};

async function toSynchronous(options: ExperimentOptions): Promise<void> {
  const { report, scale } = options;
  await inWorld(options, {}, async (world) => {
    const { server, random } = world;
    const standby = await startStandby(server);
    world.atEnd(standby.remove);
    await world.sql`alter system set synchronous_standby_names = 'standby'`;
    await world.sql`select pg_reload_conf()`;
    await eventually(report, "the standby is synchronous", 30_000, async () => {
      const rows = await world.sql`select from pg_stat_replication where sync_state = 'sync'`;
      return rows.length === 1;
    });

    const scene = await begin(world, standby, sized(scale, { short: 2_000, full: 6_000, long: 6_000 }));
    await pause(random.integer(300, 1_500));
    await killServer(server);
    await promote(world, standby, report);
    await scene.end(report, "synchronous");
    await world.judge({ runsEnded: true, noStragglers: true });
  });
}

async function toAsynchronous(options: ExperimentOptions): Promise<void> {
  const { report, scale } = options;
  await inWorld(options, {}, async (world) => {
    const { server, journal, random } = world;
    const stream = await startProxy({ to: Number(new URL(server.url).port) });
    world.atEnd(() => stream.close());
    const standby = await startStandby({ ...server, url: stream.url(server.url) });
    world.atEnd(standby.remove);

    const scene = await begin(world, standby, sized(scale, { short: 2_000, full: 6_000, long: 6_000 }));
    await pause(random.integer(300, 1_000));
    await scene.rest();
    await caughtUp(world.sql, standby, report);
    const lostAfter = journal.lastNumber;
    stream.setMode("black_hole");
    scene.goOn();
    const acknowledgedSince = async () =>
      (await readJournal(journal.path)).filter(({ number, action, outcome }) =>
        number > lostAfter && action === "signup" && outcome === "acknowledged"
      );
    await pause(random.integer(300, 1_500));
    await eventually(
      report,
      "signups go on without the standby",
      30_000,
      async () => (await acknowledgedSince()).length > 0,
    );
    const [{ processed }] = await world.sql<[{ processed: number }]>`
      select processed from assignment.backfill_progress where id = ${scene.runId}
    `;
    const lostBefore = journal.lastNumber;
    await killServer(server);
    const sql = await promote(world, standby, report);
    const [kept] = await sql<[{ processed: number }]>`
      select processed from assignment.backfill_progress where id = ${scene.runId}
    `;
    await scene.end(report, "asynchronous");

    const acknowledged = (await acknowledgedSince())
      .filter(({ number }) => number <= lostBefore)
      .flatMap(({ ids }) => ids);
    const [{ found }] = await sql<[{ found: number }]>`
      select count(*) as found from public.members where id = any (${acknowledged}::uuid[])
    `;
    report.figure(
      "asynchronous: lost with the primary",
      `${
        acknowledged.length - found
      } members of ${acknowledged.length} acknowledged since the standby last heard, ` +
        `${processed - kept.processed} members' worth of batches, done again`,
    );
    report.expect(found < acknowledged.length, "the standby had not heard all", "nothing was lost");
    // TA002: who would assign somebody by hand finds that they are gone.
    await world.judge({ runsEnded: true, noStragglers: true, lostAfter, allowedCodes: ["TA002"] });
  });
}

/** A service on both hosts, others who call it, signups and a backfill. */
async function begin(world: World, standby: TestServer, members: number) {
  const { server, journal, random, trainerId } = world;
  const url = joinHosts(server, standby);
  const service = await world.startService({
    databaseUrl: url,
    environment: { BACKFILL_REST_RATIO: "4", DATABASE_POOL_SIZE: "5" },
  });
  const pid = service.pid();
  await giveMembers(world.sql, journal, random, members);
  const run = await startBackfill(world.sql, { requestedBy: "experiment", batchRows: 25 });
  const sessions = { url, longestPauseMs: 20, sessions: 3 };
  let load = world.startLoad(sessions);
  const checks = startCallers(() => service.call(`GET /v1/trainers/${trainerId}/clients?limit=1`));
  return {
    runId: run.id,
    rest: () => load.stop(),
    goOn: () => load = world.startLoad(sessions),
    async end(report: Report, kind: string): Promise<void> {
      const began = performance.now();
      await eventually(report, "the service goes on without a restart", 30_000, async () => {
        const response = await service.call("GET /readyz");
        await response.body?.cancel();
        return response.status === 200 && service.pid() === pid;
      });
      report.figure(
        `${kind}: ready after the promotion within`,
        `${Math.round(performance.now() - began)} ms`,
      );
      await awaitEnd(() => world.sql, run.id, report);
      await load.stop();
      await checks.stop();
      report.figure(`${kind}: answers to others`, describeAnswers(checks));
      for (const answer of checks.answers.keys()) {
        report.expect(
          ["200", "503 database_unavailable"].includes(answer),
          "others hear that the database is away, and nothing else",
          answer,
        );
      }
    },
  };
}

/** Makes the standby the primary; the experiment's own connections go there. */
async function promote(world: World, standby: TestServer, report: Report): Promise<Sql> {
  const sql = await world.reopen(standby.url);
  const [{ promoted }] = await sql<[{ promoted: boolean }]>`select pg_promote() as promoted`;
  report.expect(promoted, "the standby is promoted", "it is not");
  return sql;
}

/** Waits until the standby has all that the primary had when this was called. */
async function caughtUp(sql: Sql, standby: TestServer, report: Report): Promise<void> {
  const [{ lsn }] = await sql<[{ lsn: string }]>`select pg_current_wal_lsn() as lsn`;
  const there = openDatabase(standby.url, { max: 1, applicationName: "experiment" });
  await eventually(report, "the standby catches up", 30_000, async () => {
    const [row] = await there<[{ has: boolean }]>`
      select pg_last_wal_replay_lsn() >= ${lsn}::text::pg_lsn as has
    `;
    return row.has;
  });
  await closeDatabase(there, 1);
}
