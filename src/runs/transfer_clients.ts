import type { Sql } from "../database/sql.ts";
import type { Condition } from "../policy/condition.ts";
import { awaitResult, type FollowOptions, type RunResult } from "./follow.ts";
import { joinTransfer } from "./join.ts";

export interface TransferOptions extends FollowOptions {
  /** The trainer whose clients are moved. */
  fromTrainerId: string;
  /** Who takes them over. By default the policy in force decides, without the one who leaves. */
  trainerId?: string;
  /** Moves these clients only: 1 to 1,000. */
  memberIds?: string[];
  /** Moves only clients who match it, of `memberIds` where these are given too. */
  condition?: Condition;
  /** The notes of the new assignments. By default those of the ended ones. */
  notes?: string;
  dryRun?: boolean;
  /** Who started the run, for its record; by default the database role. */
  requestedBy?: string;
}

/**
 * Moves the clients of a trainer to another, or to whom the policy chooses. If the same transfer is under way, for
 * example by the service, this call joins it. While the run is paused, it waits. Whoever cannot be moved stays with the
 * trainer, and is among the errors.
 * @throws {AppError} `trainer_not_found`; `no_successor`; `policy_invalid` for the condition; `transfer_active` when the
 * transfer under way is another one; `run_cancelled` when the run is cancelled. Throws the signal's reason when the
 * signal is given.
 */
export async function transferClients(sql: Sql, options: TransferOptions): Promise<RunResult> {
  const { fromTrainerId, trainerId, memberIds, condition, notes, dryRun, requestedBy, ...follow } = options;
  const request = { fromTrainerId, trainerId, memberIds, condition, notes, dryRun, requestedBy };
  const { run } = await joinTransfer(sql, request);
  return await awaitResult(sql, run, follow);
}
