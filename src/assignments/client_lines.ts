import type { Sql } from "../database/sql.ts";
import { type ClientPage, selectClientPage } from "./client_page.ts";
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

/**
 * Reads what `getTrainerClients` reads, as JSON that the server has written: the bytes go from its connection to the
 * reader's as they are, without a row, a Date or a string in between.
 * @throws {AppError} `trainer_not_found` when the trainer is no member.
 */
export async function selectClientLines(
  sql: Sql,
  trainerId: string,
  page: ClientPage,
): Promise<ClientLines> {
  const [[count, lines] = []] = await sql`
    select
      count(*)::text,
      string_agg(
        '{"clientId":"' || client_id || '","assignmentId":"' || id || '","assignmentDate":'
          || ${toJsonTime(sql, "assignment_date")}
          || ',"status":"' || status || '","endedAt":' || ${toJsonTime(sql, "ended_at")}
          || ',"notes":' || coalesce(to_json(notes)::text, 'null'),
        e'}\n' order by id
      ) || e'}\n'
    from ${selectClientPage(sql, trainerId, page)}
  `.raw();
  if (!lines) {
    await requireTrainer(sql, trainerId);
    return { clients: 0, bytes: NO_BYTES, last: undefined };
  }
  const lastLine = lines.toString("latin1", lines.lastIndexOf(NEWLINE, -2) + 1);
  return { clients: Number(count), bytes: lines, last: assignmentIdOf(lastLine) };
}

/** As `parseTime` and JSON write it: null for no time, and for one out of range. */
function toJsonTime(sql: Sql, column: "assignment_date" | "ended_at") {
  return sql`
    case
      when ${sql(column)} >= '0001-01-01 00:00:00Z' and ${sql(column)} < '10000-01-01 00:00:00Z'
      then '"' || to_char(${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"'
      else 'null'
    end
  `;
}

/** Reads the assignment id in a line. */
export function assignmentIdOf(line: string): string {
  return line.slice(ID_START, ID_START + ID_LENGTH);
}
