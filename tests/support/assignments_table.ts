import type { Sql } from "../../src/database/sql.ts";

/** Sets storage parameters of the assignments' table, or of each of its partitions. */
export async function setStorage(sql: Sql, parameters: string): Promise<void> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name
    from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
    where c.relkind = 'r'
      and coalesce(i.inhparent, c.oid) = 'public.trainer_client_assignments'::regclass
  `;
  for (const { name } of tables) await sql.unsafe(`alter table ${name} set (${parameters})`);
}

/** Counts the rows of the assignments' table that were read so far. What a session itself has read is all there. */
export async function countRowsRead(session: Sql): Promise<number> {
  await session`select pg_stat_force_next_flush()`;
  const [row] = await session<[{ rows: number }]>`
    select sum(s.seq_tup_read + s.idx_tup_fetch)::bigint as rows
    from pg_stat_user_tables s
    left join pg_inherits i on i.inhrelid = s.relid
    where coalesce(i.inhparent, s.relid) = 'public.trainer_client_assignments'::regclass
  `;
  return row.rows;
}
