import type { Context } from "hono";
import type { Sql } from "../../database/sql.ts";
import { AppError } from "../../errors.ts";
import { logChange } from "../../http/audit.ts";
import { startBackfill } from "../../runs/runs.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type PageEnv, visitorOf } from "../env.ts";

/** Starts a run by the policy. Returns the notice that says so, or that another run has not ended yet. */
export async function startPolicyRun(
  c: Context<PageEnv>,
  sql: Sql,
  log: Logger,
): Promise<"policy_run" | "policy_run_later"> {
  try {
    const run = await startBackfill(sql, { requestedBy: visitorOf(c) });
    logChange(log, visitorOf(c), "backfill_start_requested", { runId: run.id });
    return "policy_run";
  } catch (error) {
    if (error instanceof AppError && error.code === "backfill_active") return "policy_run_later";
    throw error;
  }
}
