import type { Sql } from "../database/sql.ts";
import { awaitResult, type FollowOptions, type RunResult } from "./follow.ts";
import { joinBackfill } from "./join.ts";

export interface BackfillOptions extends FollowOptions {
  /** By default the policy in force decides. */
  trainerId?: string;
  /** Also replaces what the policy chose and would no longer choose. Only by the policy. */
  reassign?: boolean;
  dryRun?: boolean;
  /** Who started the run, for its record; by default the database role. */
  requestedBy?: string;
}

/**
 * Assigns every member whom the policy gives a trainer they do not have; to one trainer if one is named. Without rules
 * that is everybody without an active assignment to the default trainer. If such a run is under way, for example by the
 * service, this call joins it; a dry run joins only a dry run. While the run is paused, it waits.
 * @throws {AppError} `trainer_not_found`; `backfill_active` when the run under way is another one; `run_cancelled` when
 * the run is cancelled. Throws the signal's reason when the signal is given.
 */
export async function backfillExistingUsers(sql: Sql, options: BackfillOptions = {}): Promise<RunResult> {
  const { trainerId, reassign, dryRun, requestedBy, ...follow } = options;
  const { run } = await joinBackfill(sql, { trainerId, reassign, dryRun, requestedBy });
  return await awaitResult(sql, run, follow);
}
