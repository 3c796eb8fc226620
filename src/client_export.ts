import type { Sql } from "./database/connection.ts";
import { type Client, getTrainerClients } from "./trainer_assignment.ts";

const chunkRows = 2000;

/**
 * Reads all of a trainer's clients, oldest assignment first, in chunks of up to 2,000 and so in constant memory.
 * Each chunk is a short query of its own: a reader that is slow or gone holds no connection and no snapshot.
 * @throws {AppError} `trainer_not_found` before the first chunk.
 */
export async function* streamTrainerClients(
  sql: Sql,
  trainerId: string,
  status: Client["status"] = "active",
): AsyncGenerator<Client[]> {
  let after: string | undefined;
  while (true) {
    const clients = await getTrainerClients(sql, trainerId, { limit: chunkRows, after, status });
    if (clients.length > 0) yield clients;
    after = clients.at(-1)?.assignmentId;
    if (clients.length < chunkRows) return;
  }
}
