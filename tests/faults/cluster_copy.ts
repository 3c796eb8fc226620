import type { Sql } from "../../src/database/sql.ts";
import { DEPARTED, keepDeparted } from "./departures.ts";
import { GAPS_EVER, keepGaps } from "./webhooks.ts";

const ROWS_AT_ONCE = 5_000;

/**
 * Copies all rows of a cluster into the tables of the same names of a plain migrated database, for the oracle, whose
 * queries Citus would refuse. All must be at rest: the tables are read one after the other.
 */
export async function makePlain(cluster: Sql, plain: Sql): Promise<void> {
  if (await isThere(cluster, DEPARTED) && !await isThere(plain, DEPARTED)) await keepDeparted(plain);
  if (await isThere(cluster, GAPS_EVER) && !await isThere(plain, GAPS_EVER)) await keepGaps(plain);
  const tables = await plain<{ name: string }[]>`
    select c.oid::regclass::text as name
    from pg_class c
    where c.relkind = 'r'
      and c.relnamespace in ('public'::regnamespace, 'assignment'::regnamespace)
      and c.relname <> 'schema_migrations'
    order by name
  `;
  await plain.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`; // no trigger, no foreign key
    await transaction.unsafe(`truncate ${tables.map(({ name }) => name).join(", ")}`);
    for (const { name } of tables) {
      if (!await isThere(cluster, name)) continue;
      const rows = cluster.unsafe<{ row: string }[]>(`select to_jsonb(t)::text as row from ${name} t`);
      for await (const part of rows.cursor(ROWS_AT_ONCE)) {
        await transaction.unsafe(
          `
            insert into ${name} overriding system value
            select r.*
            from unnest($1::text[]) as copied (body)
            cross join lateral jsonb_populate_record(null::${name}, copied.body::jsonb) as r
          `,
          [part.map(({ row }) => row)],
        );
      }
    }
  });
}

async function isThere(sql: Sql, table: string): Promise<boolean> {
  const [row] = await sql<[{ isThere: boolean }]>`select to_regclass(${table}) is not null as is_there`;
  return row.isThere;
}
