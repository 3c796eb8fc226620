import type { Sql } from "../../database/sql.ts";
import { AppError } from "../../errors.ts";
import { getPolicy } from "../../policy/policies.ts";
import { findStanding, type Standing } from "../../policy/standing.ts";
import { getTrainer, type Trainer } from "../../policy/trainers.ts";
import { hasEnded, type Run } from "../../runs/progress.ts";

/** What matters for what is to be done after a run. */
export interface FollowUp {
  /** The trainer whose clients a transfer moved; null: not a member any more. */
  trainer: Trainer | null;
  /** Where the policy in force names the trainer. */
  standing: Standing;
  /** The version of the policy in force. */
  policyVersion: number;
}

/** Reads what matters after an ended transfer or reassignment; undefined after others. */
export async function readFollowUp(sql: Sql, run: Run): Promise<FollowUp | undefined> {
  if (!hasEnded(run) || (run.kind === "backfill" && !run.reassign)) return undefined;
  const [{ version, policy }, trainer] = await Promise.all([
    getPolicy(sql),
    run.fromTrainerId === null ? null : findTrainer(sql, run.fromTrainerId),
  ]);
  return { trainer, standing: findStanding(policy, run.fromTrainerId ?? ""), policyVersion: version };
}

async function findTrainer(sql: Sql, trainerId: string): Promise<Trainer | null> {
  try {
    return await getTrainer(sql, trainerId);
  } catch (error) {
    if (error instanceof AppError && error.code === "trainer_not_found") return null;
    throw error;
  }
}
