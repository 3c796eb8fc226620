import { isOnCluster } from "./distributed.ts";
import type { Sql } from "./sql.ts";

const NOTES_AT_ONCE = 500;
const PLACES_LAST_MS = 10_000;

/** A place on each node, for each handle: found anew now and then, for nodes are added and shards move. */
const known = new WeakMap<Sql, { places: string[]; until: number }>();

/**
 * Collects on a cluster what shards have to tell: messages into the outbox, changes past the service into the audit log. Asks
 * each node, and every node though another is away; on one server there is nothing to do.
 * @throws what the first node said that could not be asked
 */
export async function collectNotes(sql: Sql): Promise<void> {
  if (!await isOnCluster(sql)) return;
  const asked = await Promise.allSettled((await findPlaces(sql)).map((place) => collectFrom(sql, place)));
  for (const each of asked) if (each.status === "rejected") throw each.reason;
}

/** As {@link collectNotes}, for whoever reads what was collected: without what a node that is away has to tell. */
export async function collectWhatComes(sql: Sql): Promise<void> {
  await collectNotes(sql).catch(() => {}); // the worker logs it
}

async function collectFrom(sql: Sql, place: string): Promise<void> {
  for (;;) {
    const [{ notes, count }] = await sql<[{ notes: string | null; count: number | null }]>`
      select n.notes::text, jsonb_array_length(n.notes) as count
      from (select assignment.collect_notes(${place}, ${NOTES_AT_ONCE}) as notes offset 0) as n
    `;
    if (notes === null || count === null) return;
    await sql`select assignment.drop_notes(${place}, ${notes}::text::jsonb)`;
    if (count < NOTES_AT_ONCE) return;
  }
}

async function findPlaces(sql: Sql): Promise<string[]> {
  const now = performance.now();
  const found = known.get(sql);
  if (found !== undefined && now < found.until) return found.places;
  const rows = await sql<{ place: string }[]>`select place from assignment.find_node_places() as place`;
  const places = rows.map(({ place }) => place);
  known.set(sql, { places, until: now + PLACES_LAST_MS });
  return places;
}
