import type { Sql } from "../../../src/database/sql.ts";
import { retryFailures } from "../../../src/assignments/failures.ts";
import { type Experiment, sized } from "../experiment.ts";
import { eventually, pause } from "../runs.ts";
import { inWorld } from "../world.ts";

/** What somebody holds while others sign up: statements of one transaction, and of another that waits for it. */
const situations: Record<string, { holds: string; waits?: string; harmless?: boolean }> = {
  "ACCESS EXCLUSIVE on the assignments": {
    holds: "lock table public.trainer_client_assignments in access exclusive mode",
  },
  "FOR UPDATE on the default trainer": {
    holds:
      "select from public.members where id = (select default_trainer_id from assignment.settings) for update",
  },
  "an ALTER TABLE that waits for a long reader": {
    holds: "select count(*) from public.trainer_client_assignments",
    waits: "alter table public.trainer_client_assignments add column note_of_lock text",
  },
  "a long transaction that changed the trainer's name": {
    holds:
      "update public.members set display_name = 'Busy' where id = (select default_trainer_id from assignment.settings)",
    harmless: true,
  },
};

/** The lock budget is 250 ms; the rest is what a busy machine takes for everything else. */
const longestSignupMs = 1_000;

/** Locks that others hold on what the trigger needs. */
export const locks: Experiment = {
  name: "locks",
  summary:
    "tables and rows locked by others: signups commit within the lock budget, and the failures are made good",
  async run(options) {
    const { scale, report } = options;
    await inWorld(options, { ownServer: false }, async (world) => {
      const { sql } = world;
      const service = await world.startService();
      const holdMs = sized(scale, { short: 1_300, full: 5_000, long: 60_000 });

      for (const [name, { holds, waits, harmless }] of Object.entries(situations)) {
        const load = world.startLoad({
          oneStatementEach: true,
          steering: 0,
          longestPauseMs: 50,
          sessions: 3,
        });
        await pause(100);
        const [{ began }] = await sql<[{ began: Date }]>`select clock_timestamp() as began`;
        await hold(sql, holds, waits, holdMs);
        // Not how many more there are: the service makes those of an earlier lock good meanwhile.
        const [{ recorded }] = await sql<[{ recorded: number }]>`
          select count(*) as recorded from assignment.failures where first_failed_at >= ${began}
        `;
        await load.stop();
        report.figure(`${name}, for ${holdMs / 1000} s`, `${recorded} recorded as failed`);
        report.expect(
          harmless ? recorded === 0 : recorded > 0,
          "a lock does what it is expected to",
          `${name}: ${recorded} failures`,
        );
        await world.judge({ longestSignupMs });
        if (report.hasNoticedBug) return;
        if (waits) await sql`alter table public.trainer_client_assignments drop column note_of_lock`;
      }

      const began = performance.now();
      if (scale === "short") await (await service.call("POST /v1/failures/retry")).body?.cancel();
      await eventually(report, "failures are made good", 120_000, async () => {
        const [row] = await sql<[{ failures: number }]>`select count(*) as failures from assignment.failures`;
        return row.failures === 0;
      });
      report.figure("all made good after", `${Math.round(performance.now() - began)} ms`);
      await retryFailures(sql);
      await world.judge({ longestSignupMs, drained: true });
    });
  },
};

async function hold(sql: Sql, holds: string, waits: string | undefined, ms: number): Promise<void> {
  let waiting: Promise<unknown> = Promise.resolve();
  await sql.begin(async (holder) => {
    await holder.unsafe(holds);
    if (waits) waiting = sql.unsafe(waits).execute();
    await pause(ms);
  });
  await waiting;
}
