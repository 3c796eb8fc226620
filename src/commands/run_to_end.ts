import { parseConfig } from "../config.ts";
import type { Sql } from "../database/sql.ts";
import { AppError, OperatorError } from "../errors.ts";
import { type FollowOptions, followRun } from "../runs/follow.ts";
import type { Joined } from "../runs/join.ts";
import { hasEnded, type Run, type RunKind } from "../runs/progress.ts";
import { listRunErrors } from "../runs/run_members.ts";
import { getRun, pauseRun, resumeRun } from "../runs/runs.ts";
import { actorAtTerminal } from "./actor.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { openCommandDatabase } from "./open_database.ts";
import { summarizeRun, watchProgress } from "./run_output.ts";

/** What a command asks for that starts, or continues, a run. */
export interface RunTask {
  kind: RunKind;
  /** Print one JSON object at the end, instead of progress and a summary. */
  json: boolean;
  /** The run to continue instead of starting one. */
  resume: string | undefined;
  start(sql: Sql, requestedBy: string): Promise<Joined>;
  /** Says what the start was refused for, and what to do. */
  explain(error: AppError): string;
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Checks an argument that has to be an id, where it is given. */
export function requireId(name: string, id: string | undefined): void {
  if (id !== undefined && !isId(id)) throw new UsageError(`${name} takes a UUID`);
}

/**
 * Drives a run to its end, beside the service or without it, and shows its progress. Ctrl-C pauses the run, and leaves one
 * that somebody else started alone. Returns the exit code: 1 when members failed.
 */
export async function runToEnd(
  { environment, signal, print }: CommandContext,
  task: RunTask,
): Promise<number> {
  const config = parseConfig(environment);
  const database = await openCommandDatabase(config);
  const actor = actorAtTerminal();
  try {
    const { run, joined } = await findRun(database.sql, task, actor);
    const progress = watchProgress({ json: task.json, print });
    const following = {
      lanes: config.backfillLanes,
      maxReplicaLagMs: config.backfillMaxReplicaLagMs,
      restRatio: config.backfillRestRatio,
      onProgress: progress.show,
      signal,
    };
    const ended = await (joined
      ? followOrLeave(database.sql, run, following)
      : followOrPause(database.sql, run, actor, following)).finally(progress.stop);

    if (task.json) {
      const errors = await listRunErrors(database.sql, ended.id, { limit: 10_000 });
      print(JSON.stringify({ ...ended, errors }));
    } else {
      print(summarizeRun(ended));
    }
    return ended.status === "succeeded" ? 0 : 1;
  } finally {
    await database.close();
  }
}

async function findRun(sql: Sql, { kind, resume, start, explain }: RunTask, actor: string): Promise<Joined> {
  try {
    if (resume === undefined) return await start(sql, actor);
    const run = await getRun(sql, resume, kind);
    if (run.status !== "paused") return { run, joined: true };
    return { run: await resumeRun(sql, run.id, actor), joined: false };
  } catch (error) {
    throw error instanceof AppError ? new OperatorError(explain(error)) : error;
  }
}

/** Follows the run to its end. On the signal it pauses the run and says how to continue. */
async function followOrPause(sql: Sql, run: Run, actor: string, options: FollowOptions): Promise<Run> {
  try {
    return await followRun(sql, run, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    const left = await pause(sql, run.id, actor);
    if (hasEnded(left)) return left;
    throw new OperatorError(
      `paused after ${left.processed.toLocaleString("en")} of ${
        left.total.toLocaleString("en")
      }; go on with: deno task ${run.kind} --resume ${run.id}`,
    );
  }
}

/** Follows a run that somebody else started to its end. On the signal it leaves the run alone. */
async function followOrLeave(sql: Sql, run: Run, options: FollowOptions): Promise<Run> {
  try {
    return await followRun(sql, run, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    const left = await getRun(sql, run.id);
    if (hasEnded(left)) return left;
    throw new OperatorError(
      `no longer at it; the run, which ${left.requestedBy} started, stays ${left.status} and goes on wherever else it is driven. ` +
        `Watch it again: deno task ${run.kind} --resume ${run.id}. ` +
        `Pause it: POST /v1/${run.kind}s/${run.id}/pause, or in the database ` +
        `select assignment.change_backfill_status('${run.id}', 'paused', 'me')`,
    );
  }
}

async function pause(sql: Sql, id: string, actor: string): Promise<Run> {
  try {
    return await pauseRun(sql, id, actor, "stopped at the terminal");
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid_transition") throw error;
    return await getRun(sql, id); // paused by somebody else, or ended meanwhile
  }
}
