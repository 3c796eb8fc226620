import type { By } from "../actor.ts";
import type { Sql } from "../database/sql.ts";
import { changeTrainer } from "../policy/trainers.ts";
import type { Run } from "./progress.ts";
import { startTransfer, type TransferRequest } from "./runs.ts";

/**
 * Starts a transfer, and in the same transaction lets the trainer who is left take no new clients, if asked. So either
 * both happen or neither.
 * @throws {AppError} as `startTransfer`
 */
export async function moveClients(
  sql: Sql,
  request: TransferRequest & { requestedBy: By },
  { stopsNewClients }: { stopsNewClients: boolean },
): Promise<Run> {
  if (!stopsNewClients) return await startTransfer(sql, request);
  return await sql.begin(async (transaction) => {
    await changeTrainer(transaction, request.fromTrainerId, { acceptsClients: false }, request.requestedBy);
    return await startTransfer(transaction, request);
  });
}
