import { join } from "node:path";
import { startBackfill } from "../../../src/runs/runs.ts";
import { startBalancer } from "../balancer.ts";
import { describeAnswers, startCallers } from "../callers.ts";
import { type Experiment, sized } from "../experiment.ts";
import { giveMembers } from "../load.ts";
import { makeNextRelease, migrateWith } from "../next_release.ts";
import { awaitEnd, eventually, pause } from "../runs.ts";
import { PROJECT_FOLDER } from "../service_copy.ts";
import type { Service } from "../service.ts";
import { inWorld } from "../world.ts";

/** A migration, and then replica after replica replaced, while everything goes on. */
export const rollingUpgrade: Experiment = {
  name: "rolling_upgrade",
  summary:
    "a migration and a rolling upgrade, and back, under load, with a backfill on: not one request fails",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, {}, async (world) => {
      const { sql, journal, random, server, trainerId } = world;
      const replicas: Service[] = [];
      for (let replica = 0; replica < sized(scale, { short: 2, full: 3, long: 3 }); replica++) {
        replicas.push(
          await world.startService({
            environment: { SHUTDOWN_DELAY_MS: "1000", BACKFILL_REST_RATIO: "4", DATABASE_POOL_SIZE: "5" },
          }),
        );
      }
      const next = await makeNextRelease(join(world.folder, "next_release"));
      const members = await giveMembers(
        sql,
        journal,
        random,
        sized(scale, { short: 3_000, full: 20_000, long: 20_000 }),
      );
      const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 25 });
      const load = world.startLoad({ longestPauseMs: 50 });
      const balancer = startBalancer(replicas);
      world.atEnd(() => balancer.close());
      const clients = `/v1/trainers/${trainerId}/clients`;
      const requests: (() => Promise<Response>)[] = [
        () => balancer.call(`GET /v1/members/${random.pick(members)}/assignment`),
        () => balancer.call("POST /v1/assignments/check", { memberIds: members.slice(0, 20) }),
        () => balancer.call(`GET ${clients}?limit=20`),
        () => balancer.call(`PUT ${clients}/${random.pick(members)}`, {}),
        () => balancer.call(`GET /v1/backfills/${run.id}`),
        () => balancer.call("GET /v1/policy"),
        () => balancer.call("GET /v1/failures"),
      ];
      const callers = startCallers(() => random.pick(requests)(), 6);
      const roll = async (folder: string) => {
        for (const replica of replicas) {
          const code = await replica.stop("SIGTERM");
          report.expect(code === 0, "a replica stops cleanly", `exit code ${code}`);
          await replica.start(folder);
          await eventually(
            report,
            "the balancer notices that a replica is back",
            30_000,
            () => Promise.resolve(balancer.isReady(replica)),
          );
        }
      };

      await pause(500);
      await migrateWith(next, server.url);
      await pause(500); // the old release on the new schema
      const rounds = sized(scale, { short: 1, full: 5, long: 50 });
      for (let round = 0; round < rounds; round++) {
        await roll(next);
        if (scale !== "short") await roll(PROJECT_FOLDER);
      }
      await callers.stop();
      await load.stop();
      report.figure("replicas, upgrades", `${replicas.length}, ${rounds}`);
      report.figure("answers", describeAnswers(callers));
      const logged = replicas.flatMap((replica) => replica.output().split("\n"))
        .filter((line) => line.includes("request failed")).slice(0, 3);
      for (const answer of callers.answers.keys()) {
        report.expect(/^2\d\d$/.test(answer), "no request fails", [answer, ...logged].join("\n"));
      }
      await awaitEnd(() => sql, run.id, report, 300_000);
      await world.judge({ runsEnded: true, noStragglers: true });
    });
  },
};
