import { startBackfill } from "../../../src/runs/runs.ts";
import type { Sql } from "../../../src/database/sql.ts";
import { type Experiment, sized } from "../experiment.ts";
import { giveMembers } from "../load.ts";
import { awaitEnd, pause, watchCounters } from "../runs.ts";
import type { Service } from "../service.ts";
import { inWorld } from "../world.ts";

/** Replicas that stop in the middle of their work, as a paused virtual machine does, and go on later. */
export const frozen: Experiment = {
  name: "frozen",
  summary:
    "replicas frozen (SIGSTOP) in the middle of a run and thawed later: the others end it, and nobody counts twice",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, {}, async (world) => {
      const { sql, journal, random } = world;
      const replicas = sized(scale, { short: 2, full: 8, long: 8 });
      const rounds = sized(scale, { short: 1, full: 6, long: 60 });
      const services: Service[] = [];
      for (let replica = 0; replica < replicas; replica++) {
        services.push(await world.startService({ environment: { BACKFILL_REST_RATIO: "1" } }));
      }
      const load = world.startLoad();
      let looks = 0;
      let freezes = 0;

      for (let round = 0; round < rounds; round++) {
        await giveMembers(
          sql,
          journal,
          random,
          sized(scale, { short: 21_000, full: 160_000, long: 160_000 }),
        );
        const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 100 });
        const watch = watchCounters(() => sql, run.id, report);

        // All but one stay frozen until the run has ended without them; some of those thaw and freeze again before.
        const asleep = services.slice(1);
        await busy(world.sql, run.id);
        for (const service of asleep) {
          await pause(random.integer(0, 20));
          service.signal("SIGSTOP");
          freezes += 1;
        }
        for (let turn = 0; turn < replicas - 2; turn++) {
          const service = random.pick(asleep);
          service.signal("SIGCONT");
          await pause(random.integer(1, 50));
          service.signal("SIGSTOP");
          freezes += 1;
        }
        await awaitEnd(() => sql, run.id, report, 120_000);
        for (const service of asleep) service.signal("SIGCONT");
        for (const service of services) {
          const response = await service.call("GET /readyz");
          report.expect(response.status === 200, "a thawed replica is ready", `status ${response.status}`);
          await response.body?.cancel();
        }
        looks += await watch.stop();
      }
      await load.stop();
      report.figure("replicas", replicas);
      report.figure("rounds, freezes", `${rounds}, ${freezes}`);
      report.figure("snapshots of counters", looks);
      report.expect(looks > 0, "counters are looked at while runs are under way", "nobody could look");
      await world.judge({ runsEnded: true, noStragglers: true });
    });
  },
};

/** Waits until steps have been taken. */
async function busy(sql: Sql, runId: string): Promise<void> {
  for (;;) {
    const [row] = await sql<[{ processed: number }]>`
      select processed from assignment.backfill_progress where id = ${runId}
    `;
    if (row.processed > 0) return;
    await pause(10);
  }
}
