import type { Sql } from "../../src/database/sql.ts";

/** Retries as the service does again and again: until nothing is due. */
export async function retryAll(sql: Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<[{ retried: number }]>`select retried from assignment.retry_failures()`;
    if (row.retried === 0) return;
  }
}

/** Counts the active clients of a trainer. */
export async function countClientsOf(sql: Sql, trainerId: string): Promise<number> {
  const [row] = await sql<[{ clients: number }]>`
    select count(*) as clients
    from public.trainer_client_assignments
    where trainer_id = ${trainerId}
      and status = 'active'
  `;
  return row.clients;
}

/** A trainer's clients, free seats, clients beyond the capacity, and whether signups know that the trainer is full. */
export async function readSeats(
  sql: Sql,
  trainerId: string,
): Promise<{ clients: number; free: number; overbooked: number; isFull: boolean }> {
  const [seats] = await sql<[{ free: number; overbooked: number }]>`
    select count(*) filter (where not is_overbooked) as free, count(*) filter (where is_overbooked) as overbooked
    from assignment.seats
    where trainer_id = ${trainerId}
  `;
  const full = await sql`select from assignment.full_trainers where trainer_id = ${trainerId}`;
  return { clients: await countClientsOf(sql, trainerId), ...seats, isFull: full.length > 0 };
}

/** New ids, as many for each shard of members, shard by shard. */
export async function newIdsByShard(sql: Sql, count: number): Promise<string[][]> {
  const rows = await sql<{ ids: string[] }[]>`
    select (array_agg(id))[:${count}] as ids
    from (
      select gen_random_uuid() as id
      from generate_series(1, 100 * ${count} * (
        select count(*) from pg_dist_shard where logicalrelid = 'public.members'::regclass
      ))
    ) as drawn
    group by get_shard_id_for_distribution_column('public.members', id)
    order by get_shard_id_for_distribution_column('public.members', min(id::text)::uuid)
  `;
  return rows.map(({ ids }) => ids);
}
