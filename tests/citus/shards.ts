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
