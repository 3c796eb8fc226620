import { z } from "zod";
import type { Sql } from "../../src/database/sql.ts";
import { DEPARTED } from "./departures.ts";

/** What a shard counts of a run, and the rows that it has of it. */
const lookSchema = z.object({ successful: z.number(), rows: z.number() });
type ShardLook = z.infer<typeof lookSchema>;

/** Looks at a run in each shard that can be reached: no snapshot spans all, but counters and rows share a shard. */
export async function lookAtShards(sql: Sql, runId: string, withDeparted: boolean): Promise<ShardLook[]> {
  const ofRun = (table: string) =>
    `select client_id, assignment_date from ${table} where backfill_run_id = '${runId}'`;
  const query = `
    select jsonb_build_object(
      'successful', (select coalesce(sum(successful), 0) from %1$s where run_id = '${runId}'),
      'rows', (
        select count(distinct (client_id, assignment_date))
        from (${ofRun("%2$s")} ${withDeparted ? `union all ${ofRun("%3$s")}` : ""}) as a
      )
    )
  `;
  const tables = ["assignment.backfill_lanes", "public.trainer_client_assignments"];
  if (withDeparted) tables.push(DEPARTED);
  const results = await sql<{ success: boolean; result: string }[]>`
    select asked.success, asked.result
    from (
      select array_agg(name) as names, array_agg(port) as ports, array_agg(command) as commands
      from (
        select n.nodename::text as name, n.nodeport as port, format(
          ${query},
          variadic array_agg(
            shard_name(s.logicalrelid, s.shardid, false)
            order by array_position(${tables}::text[]::regclass[], s.logicalrelid)
          )
        ) as command
        from pg_dist_shard s
        join pg_dist_placement p using (shardid)
        join pg_dist_node n using (groupid)
        where s.logicalrelid = any (${tables}::text[]::regclass[])
        group by s.shardminvalue, n.nodename, n.nodeport
      ) as shards
    ) as all_shards
    cross join lateral master_run_on_worker(names, ports, commands, true) as asked
  `;
  return results.filter(({ success }) => success).map(({ result }) => lookSchema.parse(JSON.parse(result)));
}
