import { parseArgs } from "node:util";
import { type BackfillOptions, followRun, startOrJoin } from "../runs/existing_users.ts";
import { hasEnded, type Run } from "../runs/progress.ts";
import { getRun, listRunErrors, pauseRun, resumeRun } from "../runs/runs.ts";
import { parseConfig } from "../config.ts";
import type { Sql } from "../database/sql.ts";
import { AppError, OperatorError } from "../errors.ts";
import { summarizeRun, watchProgress } from "./backfill_output.ts";
import { type Command, UsageError } from "./command.ts";
import { openCommandDatabase } from "./open_database.ts";

const REQUESTED_BY = "command line";
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Runs a backfill from the terminal, beside the service or without it. */
export const backfill: Command = {
  usage: "[--trainer ID] [--dry-run] [--json] [--resume RUN]",
  summary: "give every member a trainer; exit code 1 when members failed",
  async run({ args, environment, signal, print }) {
    const request = parseRequest(args);
    const config = parseConfig(environment);
    const database = await openCommandDatabase(config);
    try {
      const { run, joined } = await findRun(database.sql, request);
      const progress = watchProgress({ json: request.json, print });
      const ended = await (joined ? followOrLeave : followOrPause)(database.sql, run, {
        lanes: config.backfillLanes,
        maxReplicaLagMs: config.backfillMaxReplicaLagMs,
        restRatio: config.backfillRestRatio,
        onProgress: progress.show,
        signal,
      }).finally(progress.stop);

      if (request.json) {
        const errors = await listRunErrors(database.sql, ended.id, { limit: 10_000 });
        print(JSON.stringify({ ...ended, errors }));
      } else {
        print(summarizeRun(ended));
      }
      return ended.status === "succeeded" ? 0 : 1;
    } finally {
      await database.close();
    }
  },
};

interface Request {
  trainerId: string | undefined;
  dryRun: boolean;
  json: boolean;
  /** The run to continue instead of starting one. */
  resume: string | undefined;
}

function parseRequest(args: readonly string[]): Request {
  const { trainer, "dry-run": dryRun, json, resume } = parseFlags(args);
  for (const [flag, id] of [["--trainer", trainer], ["--resume", resume]]) {
    if (id !== undefined && !uuid.test(id)) throw new UsageError(`${flag} takes a UUID`);
  }
  if (resume !== undefined && (trainer !== undefined || dryRun)) {
    throw new UsageError("--resume goes on with a run as it was started: without --trainer and --dry-run");
  }
  return { trainerId: trainer, dryRun: dryRun ?? false, json: json ?? false, resume };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        trainer: { type: "string" },
        "dry-run": { type: "boolean" },
        json: { type: "boolean" },
        resume: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The run to follow, and whether somebody else started it. */
async function findRun(
  sql: Sql,
  { resume, trainerId, dryRun }: Request,
): Promise<{ run: Run; joined: boolean }> {
  try {
    if (resume === undefined) {
      return await startOrJoin(sql, { requestedBy: REQUESTED_BY, dryRun, ...(trainerId && { trainerId }) });
    }
    const run = await getRun(sql, resume);
    if (run.status !== "paused") return { run, joined: true };
    return { run: await resumeRun(sql, run.id, REQUESTED_BY), joined: false };
  } catch (error) {
    throw error instanceof AppError ? new OperatorError(explain(error)) : error;
  }
}

function explain(error: AppError): string {
  if (error.code === "trainer_not_found") {
    return `${error.message}: name another with --trainer, or insert the trainer into public.members`;
  }
  return error.code === "backfill_active"
    ? `${error.message}: follow it with --resume ${error.details["runId"]}`
    : error.message;
}

/** Follows the run to its end. On the signal it pauses the run and says how to continue. */
async function followOrPause(sql: Sql, run: Run, options: BackfillOptions): Promise<Run> {
  try {
    return await followRun(sql, run, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    const left = await pause(sql, run.id);
    if (hasEnded(left)) return left;
    throw new OperatorError(
      `paused after ${left.processed.toLocaleString("en")} of ${
        left.total.toLocaleString("en")
      }; go on with: deno task backfill --resume ${run.id}`,
    );
  }
}

/** Follows a run that somebody else started to its end. On the signal it leaves the run alone. */
async function followOrLeave(sql: Sql, run: Run, options: BackfillOptions): Promise<Run> {
  try {
    return await followRun(sql, run, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
    const left = await getRun(sql, run.id);
    if (hasEnded(left)) return left;
    throw new OperatorError(
      `no longer at it; the run, which ${left.requestedBy} started, stays ${left.status} and goes on wherever else it is driven. ` +
        `Watch it again: deno task backfill --resume ${run.id}. ` +
        `Pause it: POST /v1/backfills/${run.id}/pause, or in the database ` +
        `select assignment.change_backfill_status('${run.id}', 'paused', 'me')`,
    );
  }
}

async function pause(sql: Sql, id: string): Promise<Run> {
  try {
    return await pauseRun(sql, id, REQUESTED_BY, "stopped at the terminal");
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid_transition") throw error;
    return await getRun(sql, id); // paused by somebody else, or ended meanwhile
  }
}
