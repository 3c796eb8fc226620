import { hasEnded, type Run } from "../../src/runs/progress.ts";
import { getRun, pauseRun, resumeRun } from "../../src/runs/runs.ts";
import type { Sql } from "../../src/database/sql.ts";
import { isOnCluster } from "../../src/database/distributed.ts";
import { ASSIGNMENTS_EVER } from "./departures.ts";
import type { Report } from "./experiment.ts";
import { cutService } from "./background.ts";
import { type Journal, outcomeOfSeveral } from "./journal.ts";
import { giveMembers } from "./load.ts";
import { lookAtShards } from "./shard_counters.ts";
import type { World } from "./world.ts";

const lookEveryMs = 50;

/** Waits until the condition holds; after the deadline notes a violation and returns false; false too once a planted bug has been noticed. */
export async function eventually(
  report: Report,
  rule: string,
  deadlineMs: number,
  condition: () => Promise<boolean>,
): Promise<boolean> {
  const began = performance.now();
  let last = "it does not hold";
  while (performance.now() - began < deadlineMs) {
    if (report.hasNoticedBug) return false;
    try {
      if (await condition()) return true;
    } catch (error) {
      last = String(error); // the database may be away
    }
    await pause(lookEveryMs);
  }
  report.violate(rule, `not within ${Math.round(deadlineMs / 1000)} s: ${last}`);
  return false;
}

/** Waits until the run has ended, and returns it; null, and a violation, when it does not. */
export async function awaitEnd(
  sql: () => Sql,
  runId: string,
  report: Report,
  deadlineMs = 60_000,
): Promise<Run | null> {
  let run: Run | null = null;
  const ended = await eventually(report, "every run ends by itself", deadlineMs, async () => {
    run = await getRun(sql(), runId);
    if (hasEnded(run)) return true;
    throw new Error(`${run.kind} is ${run.status}, ${run.processed} of ${run.total} processed`);
  });
  return ended ? run : null;
}

/** Pauses a run that runs, or resumes one that is paused, and journals it. */
export async function turnPause(sql: Sql, journal: Journal, runId: string): Promise<void> {
  const { status } = await getRun(sql, runId);
  if (status !== "running" && status !== "paused") return;
  const turn = status === "running" ? pauseRun : resumeRun; // refused where it ended meanwhile
  await journal.record(
    status === "running" ? "pause" : "resume",
    [runId],
    (by) => outcomeOfSeveral(turn(sql, runId, by)),
  );
}

/**
 * Looks at a run again and again: in no snapshot (on a cluster: of a shard) may its counters differ from its rows.
 * Returns how often it looked.
 * @param assignments where members leave: those that are gone as well
 */
export function watchCounters(
  sql: () => Sql,
  runId: string,
  report: Report,
  assignments = "public.trainer_client_assignments",
): { stop(): Promise<number> } {
  let looks = 0;
  let stopped = false;
  const look = async (): Promise<Look[]> =>
    await isOnCluster(sql())
      ? await lookAtShards(sql(), runId, assignments === ASSIGNMENTS_EVER)
      : [await lookAtRun(sql(), runId, assignments)];
  const watching = (async () => {
    while (!stopped) {
      try {
        const seen = await look();
        if (seen.length > 0) looks += 1; // no shard can be asked while all nodes are away
        const wrong = seen.find((each) => each.successful !== each.rows || each.isConsistent === false);
        if (wrong !== undefined) {
          report.violate(
            "a run's counters equal the rows that carry its id",
            `midway: ${JSON.stringify(wrong)}`,
          );
          return;
        }
      } catch {
        // the database is away
      }
      await pause(lookEveryMs);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return looks;
    },
  };
}

/** What a run counts, and the rows that carry its id. */
interface Look {
  successful: number;
  rows: number;
  isConsistent?: boolean;
}

async function lookAtRun(sql: Sql, runId: string, assignments: string): Promise<Look> {
  const [row] = await sql<[Look & { kind: string }]>`
    select
      p.kind, p.successful,
      (
        select count(distinct (a.client_id, a.assignment_date)) from ${
    sql(assignments)
  } a where a.backfill_run_id = p.id
      ) as rows,
      p.processed = p.successful + p.skipped + p.failed and p.processed <= p.total as is_consistent
    from assignment.backfill_progress p
    where p.id = ${runId}
  `;
  return row;
}

/** Adds members unseen where the run has been already: only its closing proof can find them. */
export async function giveBehindCursor(
  { sql, journal, random, cluster }: World,
  runId: string,
  members: number,
): Promise<void> {
  while (
    hasEnded(await getRun(sql, runId)) === false && (await getRun(sql, runId)).processed < members / 10
  ) {
    await pause(5);
  }
  const give = () => giveMembers(sql, journal, random, 20, "00");
  if (cluster === null) return void await give();
  await turnPause(sql, journal, runId); // on a cluster the run might end before they are there
  if ((await getRun(sql, runId)).status === "paused") await give();
  await turnPause(sql, journal, runId);
}

/** Pauses and resumes the run, and cuts the service's connections, a few times each. */
export async function steerAndCut({ sql, journal, random }: World, runId: string): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await turnPause(sql, journal, runId);
    await pause(random.integer(5, 30));
    if (turn === 1) await cutService(sql);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
