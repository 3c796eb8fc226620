import { type ClientText, selectClientTexts } from "./client_texts.ts";
import type { Sql } from "./database/connection.ts";
import { type Client, type ClientPage, getTrainerClients } from "./trainer_assignment.ts";

const CHUNK_ROWS = 2000;

/**
 * Reads all of a trainer's clients, oldest assignment first, in chunks of up to 2,000 and so in constant memory.
 * Each chunk is a short query of its own: a reader that is slow or gone holds no connection and no snapshot. One chunk
 * is read ahead, so that the database and the reader work at the same time.
 * @throws {AppError} `trainer_not_found` before the first chunk.
 */
export function streamTrainerClients(
  sql: Sql,
  trainerId: string,
  status: Client["status"] = "active",
): AsyncGenerator<Client[]> {
  return readAhead((page) => getTrainerClients(sql, trainerId, { ...page, status }));
}

/** The same, each client as JSON; also throws {AppError} `trainer_not_found` before the first chunk. */
export function streamTrainerClientTexts(
  sql: Sql,
  trainerId: string,
  status: Client["status"] = "active",
): AsyncGenerator<ClientText[]> {
  return readAhead((page) => selectClientTexts(sql, trainerId, { ...page, status }));
}

async function* readAhead<Row extends { assignmentId: string }>(
  read: (page: ClientPage) => Promise<Row[]>,
): AsyncGenerator<Row[]> {
  let next: Promise<Row[]> | undefined = read({ limit: CHUNK_ROWS });
  while (next !== undefined) {
    const rows: Row[] = await next;
    const after = rows.at(-1)?.assignmentId;
    next = rows.length === CHUNK_ROWS ? read({ limit: CHUNK_ROWS, after }) : undefined;
    next?.catch(() => {}); // when the reader goes away before it, nobody hears of its failure
    if (rows.length > 0) yield rows;
  }
}
