import { collectWhatComes } from "../database/notes.ts";
import type { Sql } from "../database/sql.ts";
import { withAppErrors } from "../errors.ts";
import type { MessageType } from "./endpoints.ts";

/** A place in the order of messages; nothing appears behind one that was given out. */
export interface Place {
  xid: string;
  id: string;
}

/** The place before all messages there ever were. */
export const START: Place = { xid: "0", id: "00000000-0000-0000-0000-000000000000" };

/** A message as it would be sent. */
export interface Event {
  place: Place;
  /** The `webhook-id`. */
  id: string;
  type: MessageType;
  timestamp: string;
  data: Record<string, unknown>;
}

/** Tells whether a place comes after another. */
export function isAfter(place: Place, other: Place): boolean {
  const [xid, otherXid] = [BigInt(place.xid), BigInt(other.xid)];
  return xid === otherXid ? place.id > other.id : xid > otherXid;
}

/** Messages, and from where to go on. */
export interface EventPage {
  events: Event[];
  /** The place that was asked from when there is nothing more for now. */
  next: Place;
}

/**
 * Reads messages after a place, in an order in which none can appear behind one that was given out: those of
 * transactions that began to write before every transaction that is still writing. Fewer than the limit if they tell of
 * more than 5,000 members, and without those whose members are all deleted.
 * @param after null: from the first message that is kept
 * @throws {AppError} `cursor_expired` when messages after the place are no longer kept
 */
export async function readEvents(
  sql: Sql,
  after: Place | null,
  { types, limit }: { types?: readonly MessageType[] | undefined; limit: number },
): Promise<EventPage> {
  await collectWhatComes(sql);
  const rows = await withAppErrors(sql<{ xid: string; id: string; body: string | null }[]>`
    select xid::text, id, body
    from assignment.read_events(
      ${after?.xid ?? null}::text::xid8, ${after?.id ?? null}, ${
    types === undefined ? null : [...types]
  }::text[], ${limit}
    )
  `);
  const events = rows.flatMap(({ xid, id, body }): Event[] =>
    body === null ? [] : [{ place: { xid, id }, id, ...JSON.parse(body) }]
  );
  const last = rows.at(-1);
  return { events, next: last === undefined ? after ?? START : { xid: last.xid, id: last.id } };
}
