import { isDeepStrictEqual } from "node:util";
import type { Sql } from "../database/sql.ts";
import { AppError } from "../errors.ts";
import type { Run } from "./progress.ts";
import { listSelected } from "./run_members.ts";
import { type BackfillRequest, getRun, startBackfill, startTransfer, type TransferRequest } from "./runs.ts";

/** A run, and whether somebody else started it. */
export interface Joined {
  run: Run;
  joined: boolean;
}

/** Starts a backfill, or returns the one that is under way, if it does what is asked for. Throws as the start does. */
export async function joinBackfill(sql: Sql, request: BackfillRequest): Promise<Joined> {
  const { dryRun = false, reassign = false } = request;
  const asked = { dryRun, reassign, retryOf: null };
  return await startOrJoin(
    sql,
    () => startBackfill(sql, request),
    (run) => isDeepStrictEqual({ ...run, ...asked }, run),
  );
}

/** Starts a transfer, or returns the one that is under way, if it does what is asked for. Throws as the start does. */
export async function joinTransfer(sql: Sql, request: TransferRequest): Promise<Joined> {
  const { condition = null, notes = null, dryRun = false } = request;
  const trainerId = request.trainerId?.toLowerCase() ?? null;
  const memberIds = [...new Set(request.memberIds?.map((id) => id.toLowerCase()))].toSorted();
  const onlySelected = request.memberIds !== undefined;
  const asked = { trainerId, condition, notes, dryRun, onlySelected, retryOf: null };
  return await startOrJoin(
    sql,
    () => startTransfer(sql, request),
    async (run) =>
      isDeepStrictEqual({ ...run, ...asked }, run) &&
      isDeepStrictEqual(await listSelected(sql, run.id), memberIds),
  );
}

async function startOrJoin(
  sql: Sql,
  start: () => Promise<Run>,
  isAskedFor: (run: Run) => boolean | Promise<boolean>,
): Promise<Joined> {
  try {
    return { run: await start(), joined: false };
  } catch (error) {
    if (!(error instanceof AppError) || !isActive(error)) throw error;
    const run = await getRun(sql, String(error.details["runId"]));
    if (!await isAskedFor(run)) throw error;
    return { run, joined: true };
  }
}

/** Whether a start was refused because of a run that has not ended: `details.runId`. */
export function isActive({ code }: AppError): boolean {
  return code === "backfill_active" || code === "transfer_active";
}
