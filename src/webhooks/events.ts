import type { Sql } from "../database/sql.ts";
import type { MessageType } from "./endpoints.ts";

/** A place in the order of messages; nothing appears behind one that was given out. */
export interface Place {
  xid: string;
  id: string;
}

/** The place before all messages. */
export const START: Place = { xid: "0", id: "00000000-0000-0000-0000-000000000000" };

/** A message as it would be sent. */
export interface Event {
  place: Place;
  /** The `webhook-id`. */
  id: string;
  /** Null when the members that it told of are deleted. */
  body: string | null;
}

/**
 * Reads messages after a place, in an order in which none can appear behind one that was given out.
 * A transaction that has been writing for long holds back what was written after it began.
 */
export async function readEvents(
  sql: Sql,
  after: Place,
  { types, limit }: { types?: MessageType[] | undefined; limit: number },
): Promise<Event[]> {
  const rows = await sql<{ xid: string; id: string; body: string | null }[]>`
    select xid::text, id, body
    from assignment.read_events(${after.xid}::text::xid8, ${after.id}, ${types ?? null}::text[], ${limit})
  `;
  return rows.map(({ xid, id, body }) => ({ place: { xid, id }, id, body }));
}
