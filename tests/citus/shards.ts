import type { CitusDatabase } from "./citus_database.ts";

/** Makes the shards refuse assignments for which the condition over `new` holds. Returns what takes it back. */
export async function refuseOnShards(
  { sql, workers, onWorker }: CitusDatabase,
  condition: string,
): Promise<() => Promise<void>> {
  await sql.unsafe(`
    create or replace function public.refuse_assignment() returns trigger language plpgsql as $$
    begin
      if ${condition} then
        raise exception 'member % is refused', new.client_id;
      end if;
      return new;
    end;
    $$;
  `);
  const shards = await sql<{ id: number; port: number }[]>`
    select s.shardid as id, n.nodeport as port
    from pg_dist_shard s
    join pg_dist_placement using (shardid)
    join pg_dist_node n using (groupid)
    where s.logicalrelid = 'public.trainer_client_assignments'::regclass
  `;
  const onEach = async (statementOf: (table: string) => string) => {
    for (const worker of workers) {
      const here = shards.filter(({ port }) => port === worker.port);
      await onWorker(worker, async (node) => {
        for (const { id } of here) {
          await node.unsafe(statementOf(`public.trainer_client_assignments_${id}`));
        }
      });
    }
  };
  await onEach((table) =>
    `create trigger refuse_assignment before insert on ${table} for each row execute function public.refuse_assignment()`
  );
  return () => onEach((table) => `drop trigger refuse_assignment on ${table}`);
}

/** Moves a shard of members, with all beside it, to the other of two workers. */
export async function moveAShard({ sql, workers: [one, other] }: CitusDatabase): Promise<void> {
  if (one === undefined || other === undefined) throw new Error("the cluster needs two workers");
  const [shard] = await sql<[{ id: number; name: string; port: number }]>`
    select s.shardid as id, n.nodename as name, n.nodeport as port
    from pg_dist_shard s
    join pg_dist_placement using (shardid)
    join pg_dist_node n using (groupid)
    where s.logicalrelid = 'public.members'::regclass
    order by random()
    limit 1
  `;
  const to = shard.port === one.port ? other : one;
  await sql`select recover_prepared_transactions()`; // docs/citus.md: after a crash, before a move
  await sql`
    select citus_move_shard_placement(${shard.id}, ${shard.name}, ${shard.port}, ${to.name}, ${to.port}, 'block_writes')
  `;
}

/** Splits a shard of members, with all beside it, in two on the same node. */
export async function splitAShard({ sql }: CitusDatabase): Promise<void> {
  const [shard] = await sql<[{ id: number; node: number; middle: string }]>`
    select s.shardid as id, n.nodeid as node,
      ((s.shardminvalue::bigint + s.shardmaxvalue::bigint) / 2)::text as middle
    from pg_dist_shard s
    join pg_dist_placement using (shardid)
    join pg_dist_node n using (groupid)
    where s.logicalrelid = 'public.members'::regclass
    order by s.shardminvalue::integer
    limit 1
  `;
  await sql`
    select citus_split_shard_by_split_points(
      ${shard.id}, array[${shard.middle}], array[${shard.node}, ${shard.node}]::integer[], 'block_writes'
    )
  `;
}
