import type { Sql } from "./database/connection.ts";
import { type ClientPage, requireTrainer } from "./trainer_assignment.ts";

/** A client as the API writes them. */
export interface ClientText {
  assignmentId: string;
  /** A JSON object, without a line break. */
  json: string;
}

const UUID_LENGTH = 36;

/**
 * Reads what `getTrainerClients` reads, as JSON. The server sends a page as one text, a line a client, and the lines
 * are taken apart by position, which spares the driver's rows, a Date each, and `JSON.stringify`.
 * @throws {AppError} `trainer_not_found` when the trainer is no member.
 */
export async function selectClientTexts(
  sql: Sql,
  trainerId: string,
  { limit, after, status = "active" }: ClientPage,
): Promise<ClientText[]> {
  const [page] = await sql<[{ lines: string | null }]>`
    select string_agg(
      client_id || id::text || to_json(assignment_date) || coalesce(to_json(notes)::text, 'null'),
      e'\n' order by id
    ) as lines
    from (
      select id, client_id, assignment_date, notes
      from public.trainer_client_assignments
      where trainer_id = ${trainerId}
        and status = ${status}
        ${after === undefined ? sql`` : sql`and id > ${after}`}
      order by id
      limit ${limit}
    ) as clients
  `;
  if (page.lines === null) {
    await requireTrainer(sql, trainerId);
    return [];
  }
  const toUtc = rememberLast((date) => new Date(date).toISOString());
  return page.lines.split("\n").map((line) => {
    const clientId = line.slice(0, UUID_LENGTH);
    const assignmentId = line.slice(UUID_LENGTH, 2 * UUID_LENGTH);
    const dateEnd = line.indexOf('"', 2 * UUID_LENGTH + 1);
    const assignmentDate = toUtc(line.slice(2 * UUID_LENGTH + 1, dateEnd));
    const notes = line.slice(dateEnd + 1);
    return {
      assignmentId,
      json:
        `{"clientId":"${clientId}","assignmentId":"${assignmentId}","assignmentDate":"${assignmentDate}"` +
        `,"status":"${status}","notes":${notes}}`,
    };
  });
}

/** Those who were assigned together have the same date. */
function rememberLast(convert: (text: string) => string): (text: string) => string {
  let last = "";
  let converted = "";
  return (text) => {
    if (text !== last) {
      converted = convert(text);
      last = text;
    }
    return converted;
  };
}
