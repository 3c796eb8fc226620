import { type ClientLines, selectClientLines } from "./client_lines.ts";
import type { Read } from "../database/read_replica.ts";
import type { ClientPage, ClientStatus } from "./client_page.ts";
import type { Client } from "./client_columns.ts";
import { getTrainerClients } from "./clients.ts";

const CHUNK_ROWS = 2000;

/**
 * Reads all of a trainer's clients, oldest assignment first, in chunks of up to 2,000 and so in constant memory.
 * Each chunk is a short query of its own: a reader that is slow or gone holds no connection and no snapshot. One chunk
 * is read ahead, so that the database and the reader work at the same time.
 * @throws {AppError} `trainer_not_found` before the first chunk.
 */
export function streamTrainerClients(
  read: Read,
  trainerId: string,
  status: ClientStatus = "active",
): AsyncGenerator<Client[]> {
  return readAhead(
    (page) => read((sql) => getTrainerClients(sql, trainerId, { ...page, status })),
    (clients) => ({ clients: clients.length, last: clients.at(-1)?.assignmentId }),
  );
}

/** The same, each client as a line of JSON; also throws {AppError} `trainer_not_found` before the first chunk. */
export function streamTrainerClientLines(
  read: Read,
  trainerId: string,
  status: ClientStatus = "active",
): AsyncGenerator<ClientLines> {
  return readAhead(
    (page) => read((sql) => selectClientLines(sql, trainerId, { ...page, status })),
    (lines) => lines,
  );
}

async function* readAhead<Chunk>(
  read: (page: ClientPage) => Promise<Chunk>,
  measure: (chunk: Chunk) => { clients: number; last: string | undefined },
): AsyncGenerator<Chunk> {
  let next: Promise<Chunk> | undefined = read({ limit: CHUNK_ROWS });
  while (next !== undefined) {
    const chunk: Chunk = await next;
    const { clients, last } = measure(chunk);
    next = clients === CHUNK_ROWS ? read({ limit: CHUNK_ROWS, after: last }) : undefined;
    next?.catch(() => {}); // when the reader goes away before it, nobody hears of its failure
    if (clients > 0) yield chunk;
  }
}
