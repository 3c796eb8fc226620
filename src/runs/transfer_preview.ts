import { readInTime } from "../database/bounded_read.ts";
import { prepareReads } from "../database/distributed.ts";
import type { Sql } from "../database/sql.ts";
import { withAppErrors } from "../errors.ts";
import type { Outcome } from "../policy/preview.ts";
import type { TransferRequest } from "./runs.ts";

/** What a transfer would do, were it started now. */
export interface TransferPreview {
  /** All clients of the trainer. */
  clients: number;
  /** How many of the clients were looked at, or how many were named. */
  lookedAt: number;
  /** Those of them whom the transfer is for. */
  selected: number;
  moved: number;
  /** Whether not all clients were looked at. */
  isSample: boolean;
  /** By new trainer; null: none. The largest first. */
  shares: { trainerId: string | null; outcome: Outcome; members: number }[];
  /** The first 50 who would move, and the first 50 who would stay. */
  listed: { memberId: string; moves: boolean; outcome: Outcome; trainerIds: string[] }[];
}

/** Of so many clients all are looked at; of more, so many. */
export const MAX_PREVIEW_CLIENTS = 10_000;
const TIMEOUT_MS = 15_000;

/**
 * Looks at what a transfer would do, in a READ ONLY transaction; null if it took too long.
 * @throws {AppError} as `startTransfer`, but for `backfill_active`
 */
export async function previewTransfer(
  sql: Sql,
  { fromTrainerId, trainerId, memberIds, condition }: Omit<TransferRequest, "requestedBy">,
): Promise<TransferPreview | null> {
  const json = condition === undefined ? null : JSON.stringify(condition);
  await prepareReads(sql);
  return await readInTime(sql, TIMEOUT_MS, async (transaction) => {
    const [{ preview }] = await withAppErrors(
      transaction<[{ preview: Omit<TransferPreview, "isSample"> }]>`
        select assignment.preview_transfer(
          ${fromTrainerId},
          ${trainerId ?? null},
          ${memberIds ?? null}::uuid[],
          ${json}::text::jsonb,
          ${MAX_PREVIEW_CLIENTS}
        ) as preview
      `,
    );
    const isSample = memberIds === undefined && preview.lookedAt < preview.clients;
    return { ...preview, isSample };
  });
}
