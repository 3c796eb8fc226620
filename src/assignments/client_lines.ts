import { isOnCluster } from "../database/distributed.ts";
import type { Sql } from "../database/sql.ts";
import { CLIENT_LINE } from "./client_columns.ts";
import { clientOrder, type ClientPage, selectClientPage } from "./client_page.ts";
import { requireTrainer } from "./clients.ts";

/** A page of clients as the API writes them. */
export interface ClientLines {
  /** How many there are, 0 to the page's limit. */
  clients: number;
  /** A JSON object a line, each line ended; UTF-8. */
  bytes: Uint8Array;
  /** The assignment id of the last line; undefined when there is none. */
  last: string | undefined;
}

const ID_LENGTH = 36;
const ID_START = '{"clientId":"'.length + ID_LENGTH + '","assignmentId":"'.length;
const NEWLINE = 10;
const NO_BYTES = new Uint8Array();
const LARGE_BYTES = 4 * 1024 * 1024;
/** The handles that last saw rows of a large table, or of a large partition. */
const seesLarge = new WeakSet<Sql>();

/**
 * Reads what `getTrainerClients` reads, as JSON that the server has written: the bytes go from its connection to the
 * reader's as they are, without a row, a Date or a string in between.
 * @throws {AppError} `trainer_not_found` when the trainer is not a member.
 */
export async function selectClientLines(
  sql: Sql,
  trainerId: string,
  page: ClientPage,
): Promise<ClientLines> {
  const [[count, lines, isLarge] = []] = await sql`
    select
      count(*)::text,
      string_agg(${sql.unsafe(CLIENT_LINE)}, e'}\\n' order by ${clientOrder(sql, page)}) || e'}\\n',
      pg_relation_size(min(tableoid)) > ${sql.unsafe(String(LARGE_BYTES))}
    from ${
    selectClientPage(sql, trainerId, page, {
      keepsPlan: seesLarge.has(sql),
      onCluster: await isOnCluster(sql),
    })
  }
  `.raw();
  if (String(isLarge) === "t") seesLarge.add(sql);
  else if (isLarge) seesLarge.delete(sql);
  if (!lines) {
    await requireTrainer(sql, trainerId);
    return { clients: 0, bytes: NO_BYTES, last: undefined };
  }
  const lastLine = lines.toString("latin1", lines.lastIndexOf(NEWLINE, -2) + 1);
  return { clients: Number(count), bytes: lines, last: assignmentIdOf(lastLine) };
}

/** Reads the assignment id in a line. */
export function assignmentIdOf(line: string): string {
  return line.slice(ID_START, ID_START + ID_LENGTH);
}
