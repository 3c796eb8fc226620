import { parseArgs } from "node:util";
import type { AppError } from "../errors.ts";
import { isActive, joinBackfill } from "../runs/join.ts";
import { type Command, UsageError } from "./command.ts";
import { requireId, runToEnd } from "./run_to_end.ts";

/** Runs a backfill from the terminal, beside the service or without it. */
export const backfill: Command = {
  usage: "[--trainer ID | --reassign] [--dry-run] [--json] | --resume RUN",
  summary: "give every member a trainer; exit code 1 when members failed",
  async run(context) {
    const { trainer, reassign, "dry-run": dryRun, json = false, resume } = parseFlags(context.args);
    requireId("--trainer", trainer);
    requireId("--resume", resume);
    if (trainer !== undefined && reassign) {
      throw new UsageError("--reassign applies the policy: without --trainer");
    }
    if (resume !== undefined && (trainer !== undefined || reassign || dryRun)) {
      throw new UsageError("--resume goes on with a run as it was started: with no flag but --json");
    }
    return await runToEnd(context, {
      kind: "backfill",
      json,
      resume,
      explain,
      start: (sql, requestedBy) => joinBackfill(sql, { trainerId: trainer, reassign, dryRun, requestedBy }),
    });
  },
};

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        trainer: { type: "string" },
        reassign: { type: "boolean" },
        "dry-run": { type: "boolean" },
        json: { type: "boolean" },
        resume: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function explain(error: AppError): string {
  if (error.code === "trainer_not_found") {
    return `${error.message}: name another with --trainer, or insert the trainer into public.members`;
  }
  return isActive(error)
    ? `${error.message}: follow it with --resume ${error.details["runId"]}`
    : error.message;
}
