import type { SqlOrTransaction } from "../sql.ts";

/** A table of ours under another name or in another schema. */
export interface MovedTable {
  name: string;
  now: string;
  /** The statements that rename or move it back. */
  remedy: string;
}

/** Looks for missing tables by their primary keys, which keep their names when a table is renamed or moved. */
export async function findMovedTables(sql: SqlOrTransaction, missing: string[]): Promise<MovedTable[]> {
  const moved = await sql<
    { name: string; schema: string; now: string; isRenamed: boolean; isMoved: boolean }[]
  >`
    select
      m.name,
      format('%I', n.nspname) as schema,
      format('%I.%I', n.nspname, c.relname) as now,
      c.relname <> split_part(m.name, '.', 2) as is_renamed,
      n.nspname <> split_part(m.name, '.', 1) as is_moved
    from unnest(${missing}::text[]) as m (name)
    join pg_catalog.pg_constraint k on k.conname = split_part(m.name, '.', 2) || '_pkey' and k.contype = 'p'
    join pg_catalog.pg_class c on c.oid = k.conrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    order by m.name, now
  `;
  return moved.map(({ name, schema, now, isRenamed, isMoved }) => {
    const [home, table] = name.split(".");
    const remedies = [
      ...(isRenamed ? [`alter table ${now} rename to ${table};`] : []),
      ...(isMoved ? [`alter table ${schema}.${table} set schema ${home};`] : []),
    ];
    return { name, now, remedy: remedies.join(" ") };
  });
}
