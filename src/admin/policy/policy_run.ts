import type { Context } from "hono";
import type { Sql } from "../../database/sql.ts";
import { AppError } from "../../errors.ts";
import { logChange } from "../../http/audit.ts";
import { startBackfill } from "../../runs/runs.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type PageEnv, visitorOf } from "../env.ts";
import { withNotice } from "../frame/notices.ts";
import { paths } from "../frame/paths.ts";

/**
 * Starts what is to follow a new version of the policy: a run that adds trainers, or a dry run that says who would be
 * moved. Returns the address of the page that says so, or that another run has not ended yet.
 */
export async function startPolicyRun(
  c: Context<PageEnv>,
  sql: Sql,
  log: Logger,
  { fate, version, home }: { fate: "add" | "move"; version: number; home: string },
): Promise<string> {
  const moves = fate === "move";
  try {
    const run = await startBackfill(sql, { reassign: moves, dryRun: moves, requestedBy: visitorOf(c) });
    logChange(log, visitorOf(c), "backfill_start_requested", { runId: run.id });
    return moves
      ? withNotice(paths.run(run.id), "policy_moves", version)
      : withNotice(home, "policy_run", version);
  } catch (error) {
    if (error instanceof AppError && error.code === "backfill_active") {
      return withNotice(home, "policy_run_later", version);
    }
    throw error;
  }
}
