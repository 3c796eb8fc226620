import { columnText, findReadableColumns, type MemberSource } from "../assignments/member_columns.ts";
import type { Member } from "../assignments/member_lookup.ts";
import { matchMember } from "../assignments/member_match.ts";
import type { Sql, SqlOrTransaction } from "../database/sql.ts";
import type { Room, Trainer } from "./trainer.ts";

/** The members among trainers, with their settings and clients, in order of their ids. */
export async function readTrainersOnCluster(
  sql: SqlOrTransaction,
  trainerIds: readonly string[],
): Promise<Trainer[]> {
  const ids = [...trainerIds];
  const [members, settings, counts, seats] = await Promise.all([
    sql<{ id: string }[]>`select id from public.members where id = any (${ids}::uuid[]) order by id`,
    sql<Omit<Trainer, "clients" | "room">[]>`
      select trainer_id, capacity, accepts_clients, note, updated_at, updated_by
      from assignment.trainers
      where trainer_id = any (${ids}::uuid[])
    `,
    sql<{ trainerId: string; clients: number }[]>`
      select trainer_id, count(*) as clients
      from public.trainer_client_assignments
      where trainer_id = any (${ids}::uuid[])
        and status = 'active'
      group by trainer_id
    `,
    countFreeSeats(sql, ids),
  ]);
  const unset = { capacity: null, acceptsClients: true, note: null, updatedAt: null, updatedBy: null };
  return members.map(({ id }) => {
    const set = settings.find(({ trainerId }) => trainerId === id) ?? { ...unset, trainerId: id };
    return {
      ...set,
      clients: counts.find(({ trainerId }) => trainerId === id)?.clients ?? 0,
      room: set.capacity === null ? null : seats.get(id) ?? 0,
    };
  });
}

/** What trainers can take, members or not, in the order given. */
export async function findRoomOnCluster(sql: Sql, trainerIds: readonly string[]): Promise<Room[]> {
  const ids = [...trainerIds];
  const [settings, seats] = await Promise.all([
    sql<Omit<Room, "room">[]>`
      select trainer_id, capacity, accepts_clients from assignment.trainers where trainer_id = any (${ids}::uuid[])
    `,
    countFreeSeats(sql, ids),
  ]);
  return ids.map((id) => {
    const set = settings.find(({ trainerId }) => trainerId === id) ??
      { trainerId: id, capacity: null, acceptsClients: true };
    return { ...set, room: set.capacity === null ? null : seats.get(id) ?? 0 };
  });
}

/** The free seats of all places; trainers without one are left out. */
async function countFreeSeats(sql: SqlOrTransaction, ids: string[]): Promise<Map<string, number>> {
  const rows = await sql<{ trainerId: string; free: number }[]>`
    select trainer_id, case when bool_or(is_overbooked) then 0 else count(*) end as free
    from assignment.seats
    where trainer_id = any (${ids}::uuid[])
    group by trainer_id
  `;
  return new Map(rows.map(({ trainerId, free }) => [trainerId, free]));
}

/** The ids of those who have or had clients, whom the policy in force names, or who have settings, in order. */
export async function listTrainerIdsOnCluster(sql: Sql, after?: string): Promise<string[]> {
  const rows = await Promise.all([
    sql<{ id: string }[]>`
      select distinct trainer_id as id from public.trainer_client_assignments where trainer_id is not null
    `,
    sql<{ id: string }[]>`
      select trainer_id as id from assignment.trainers
      union
      select default_trainer_id from assignment.settings where default_trainer_id is not null
      union
      select unnest(r.trainer_ids)
      from assignment.policy_rules r
      join assignment.settings s on s.policy_version = r.version
    `,
  ]);
  const ids = new Set(rows.flat().map(({ id }) => id));
  return [...ids].filter((id) => after === undefined || id > after.toLowerCase()).toSorted();
}

/** Which of the trainers are members, and match what is searched, in order of their ids. */
export async function matchTrainersOnCluster(
  source: MemberSource,
  trainerIds: readonly string[],
  search: string | undefined,
  limit: number,
): Promise<Member[]> {
  const { sql } = source;
  const columns = await findReadableColumns(source);
  return await sql<Member[]>`
    select m.id, ${columnText(sql, columns.name)} as name, ${columnText(sql, columns.email)} as email
    from public.members m
    where m.id = any (${[...trainerIds]}::uuid[])
      ${search === undefined ? sql`` : sql`and (${matchMember(sql, columns, search)})`}
    order by m.id
    limit ${limit}
  `;
}
