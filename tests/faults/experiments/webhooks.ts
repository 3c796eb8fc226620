import type { Sql } from "../../../src/database/sql.ts";
import { startBackfill } from "../../../src/runs/runs.ts";
import { cutService, startWork } from "../background.ts";
import { keepDeparted } from "../departures.ts";
import { type Experiment, type Report, sized } from "../experiment.ts";
import { giveMembers } from "../load.ts";
import { bringRules, writeRules } from "../policy.ts";
import type { Random } from "../random.ts";
import { awaitEnd, pause } from "../runs.ts";
import { bringWebhooks } from "../webhooks.ts";
import { inWorld, type World } from "../world.ts";

/** Consumers of messages at their worst, and an outbox that is away. */
export const webhooks: Experiment = {
  name: "webhooks",
  summary:
    "receivers that refuse, hang, drop replies and go away, two services that are cut off, an outbox that is broken for a while: each change is delivered, and fetched in order; no signup fails",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, { ownServer: false }, async (world) => {
      const { sql, journal, random } = world;
      await keepDeparted(sql);
      const consumers = await bringWebhooks(world, options, {
        longestAwayMs: sized(scale, { short: 500, full: 5_000, long: 20_000 }),
      });
      for (let replica = 0; replica < 2; replica++) startWork(world);
      const trainers = await bringRules(world, { limited: 100, waiting: 20 });
      const rounds = sized(scale, { short: 1, full: 10, long: 50 });
      let messages = 0;
      for (let round = 0; round < rounds; round++) {
        const load = world.startLoad({
          longestPauseMs: 5,
          steering: 0.3,
          sessions: 4,
          departures: ["leave", "endDirectly", "deleteDirectly"],
          trainerIds: Object.values(trainers).flat(),
        });
        await giveMembers(sql, journal, random, 300);
        const run = await startBackfill(sql, { requestedBy: "experiment", batchRows: 100 });
        await cutService(sql);
        await writeRules(world, trainers);
        await awaitEnd(() => sql, run.id, report);
        await breakOutbox(sql, random);
        await cutService(sql);
        await load.stop();
        const consumed = await consumers.settle();
        messages = consumed.fetched.length;
        await world.judge({ runsEnded: true, webhooks: consumed });
        if (report.violations.length > 0) break;
      }
      report.figure("rounds", rounds);
      await count(world, report, messages);
    });
  },
};

/** For a moment nothing can be written to it: it has another name, is locked, or refuses everything. */
async function breakOutbox(sql: Sql, random: Random): Promise<void> {
  const ways = [
    [
      `alter table assignment.outbox rename to elsewhere`,
      `alter table assignment.elsewhere rename to outbox`,
    ],
    [
      `alter table assignment.outbox add constraint broken check (false) not valid`,
      `alter table assignment.outbox drop constraint broken`,
    ],
  ] as const;
  const [breaks, mends] = random.pick(ways);
  await sql.unsafe(breaks);
  await pause(200);
  await sql.unsafe(mends);
}

async function count({ sql }: World, report: Report, messages: number): Promise<void> {
  const [row] = await sql<[{ deliveries: number; attempts: number; gaps: number }]>`
    select count(*) as deliveries, sum(attempts)::integer as attempts, (select count(*) from public.gaps_ever) as gaps
    from assignment.deliveries
  `;
  report.figure("messages", messages);
  report.figure("deliveries", `${row.deliveries} in ${row.attempts} attempts`);
  report.figure("changes that the outbox refused", row.gaps);
}
