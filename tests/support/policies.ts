import type { Sql } from "../../src/database/sql.ts";
import type { Choice, Rule } from "../../src/policy/document.ts";
import { getPolicy, putPolicy } from "../../src/policy/policies.ts";
import { newIds } from "./assignments.ts";

/** Writes the next version of the policy: the present default trainer, and these rules. Returns its number. */
export async function putRules(
  sql: Sql,
  rules: Rule[],
  options: { respectsOtherTrainers?: boolean; defaultTrainerId?: string } = {},
): Promise<number> {
  const { policy: { defaultTrainerId } } = await getPolicy(sql);
  const document = { defaultTrainerId, respectsOtherTrainers: false, ...options, rules };
  return (await putPolicy(sql, document, "a test")).policy.version;
}

/** Gives a trainer a capacity; null takes it away. */
export async function setCapacity(
  sql: Sql,
  trainerId: string,
  capacity: number | null,
  acceptsClients = true,
): Promise<void> {
  await sql`select assignment.set_trainer(${trainerId}, ${capacity}, ${acceptsClients}, null, 'a test')`;
}

/** Adds members who can be trainers, with the rules of before: in order of their ids. */
export async function addTrainers(sql: Sql, count: number): Promise<string[]> {
  const ids = newIds(count).toSorted();
  await sql`insert into public.members (id) select unnest(${ids}::uuid[])`;
  return ids;
}

/** A choice among trainers of equal weight. */
export function among(
  choose: "all" | "spread" | "most_room",
  trainerIds: string[],
  whenFull: "next" | "wait" = "next",
): Choice {
  return { choose, trainers: trainerIds.map((trainerId) => ({ trainerId })), whenFull };
}

/** Counts the active clients of each of the trainers. */
export async function countClients(sql: Sql, trainerIds: string[]): Promise<number[]> {
  const rows = await sql<{ clients: number }[]>`
    select (
      select count(*)
      from public.trainer_client_assignments a
      where a.trainer_id = t.id
        and a.status = 'active'
    ) as clients
    from unnest(${trainerIds}::uuid[]) with ordinality as t (id, place)
    order by t.place
  `;
  return rows.map(({ clients }) => clients);
}

/** Counts seats of a trainer that are free, those beyond the capacity as negative. */
export async function countRoom(sql: Sql, trainerId: string): Promise<number> {
  const [row] = await sql<[{ room: number }]>`
    select count(*) filter (where not is_overbooked) - count(*) filter (where is_overbooked) as room
    from assignment.seats
    where trainer_id = ${trainerId}
  `;
  return row.room;
}
