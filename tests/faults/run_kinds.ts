import { startBackfill } from "../../src/runs/runs.ts";
import { countClients } from "../support/policies.ts";
import type { Trainers } from "./policy.ts";
import { startMove, startReassigning } from "./transfers.ts";
import type { World } from "./world.ts";

/** What a run does. */
export const RUN_KINDS = ["backfill", "transfer", "reassign"] as const;

export type RunKind = (typeof RUN_KINDS)[number];

/** The kinds in turn. */
export function kindOfTurn(turn: number): RunKind {
  return RUN_KINDS[turn % RUN_KINDS.length] ?? "backfill";
}

/** Starts a run of a kind and returns its id; transfers go there and back, between the default trainer and another. */
export async function startKind(
  kind: RunKind,
  world: World,
  { leaving }: Trainers,
  batchRows: number,
): Promise<string> {
  if (kind === "backfill") {
    return (await startBackfill(world.sql, { requestedBy: "experiment", batchRows })).id;
  }
  if (kind === "reassign") return await startReassigning(world, batchRows);
  const [most = "", other = ""] = await byClients(world, [world.trainerId, leaving[0] ?? ""]);
  return await startMove(world, { fromTrainerId: most, trainerId: other, batchRows });
}

/** Those of the trainers with the most clients first. */
async function byClients({ sql }: World, trainerIds: [string, string]): Promise<string[]> {
  const [one = 0, other = 0] = await countClients(sql, trainerIds);
  return one >= other ? trainerIds : trainerIds.toReversed();
}
