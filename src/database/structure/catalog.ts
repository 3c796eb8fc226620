import { LOOK_LOCK_TIMEOUT_MS } from "../locks.ts";
import type { Sql, SqlOrTransaction } from "../sql.ts";

/** An object of a database, described as in db/schema.sql. */
export interface CatalogObject {
  kind: string;
  name: string;
  definition: string | null;
}

/**
 * Lists the objects of the schema `assignment`, of the table `trainer_client_assignments`, and the triggers of
 * `members`. Reads the catalogs alone, in one query, and needs no privileges.
 */
export async function readCatalog(sql: Sql): Promise<CatalogObject[]> {
  return await sql.begin("read only", async (transaction) => {
    await transaction`
      select set_config('statement_timeout', '3s', true),
        set_config('lock_timeout', ${String(LOOK_LOCK_TIMEOUT_MS)}, true)
    `;
    return await readCatalogWithin(transaction);
  });
}

/** Does the same within a transaction. Leaves the transaction's search path empty. */
export async function readCatalogWithin(transaction: SqlOrTransaction): Promise<CatalogObject[]> {
  // Names and intervals are printed as the dump has them.
  await transaction`
    select set_config('search_path', '', true),
      set_config('intervalstyle', 'postgres', true),
      set_config('quote_all_identifiers', 'off', true)
  `;
  return await transaction<CatalogObject[]>`
      with relations as (
        select c.oid, c.relkind, c.relrowsecurity, format('%I.%I', n.nspname, c.relname) as name
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'assignment'
          or (n.nspname = 'public' and c.relname = 'trainer_client_assignments')
      ),
      members as (
        select c.oid, format('%I.%I', n.nspname, c.relname) as name
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public'
          and c.relname = 'members'
      )
      select 'schema' as kind, nspname::text as name, null as definition
      from pg_catalog.pg_namespace
      where nspname = 'assignment'
      union all
      select case relkind when 'v' then 'view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end, name, null
      from relations
      where relkind in ('r', 'p', 'v', 'S', 'c')
      union all
      -- Hash partitions alone can be incomplete: they have no default.
      select 'partitioning', name, pg_catalog.pg_get_partkeydef(oid) || coalesce(' WITHOUT ' || (
        with partitions as (
          select bound[1]::integer as modulus, bound[2]::integer as remainder
          from pg_catalog.pg_inherits i
          join pg_catalog.pg_class c on c.oid = i.inhrelid
          cross join regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'modulus (\\d+), remainder (\\d+)') as bound
          where i.inhparent = r.oid
            and not i.inhdetachpending
        )
        select string_agg(format('remainder %s of %s', place, modulus), ', ' order by place)
        from (select coalesce(max(modulus), 1) as modulus from partitions) as whole
        cross join generate_series(0, modulus - 1) as place
        where not exists (select from partitions p where place % p.modulus = p.remainder)
      ), '')
      from relations r
      where relkind = 'p'
      union all
      select 'row security', name, null
      from relations
      where relrowsecurity
      union all
      select
        'column',
        format('%s %I', r.name, a.attname),
        pg_catalog.format_type(a.atttypid, a.atttypmod)
          || coalesce(' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
          || case when a.attnotnull then ' NOT NULL' else '' end
      from relations r
      join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where r.relkind in ('r', 'p', 'c')
      union all
      select 'constraint', format('%s %I', r.name, c.conname), pg_catalog.pg_get_constraintdef(c.oid)
      from relations r
      join pg_catalog.pg_constraint c on c.conrelid = r.oid
      where c.contype in ('p', 'u', 'f', 'c', 'x')
      union all
      select
        'index',
        format('%I.%I', n.nspname, c.relname),
        replace(pg_catalog.pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') || case when i.indisvalid then '' else ' INVALID' end
      from relations r
      join pg_catalog.pg_index i on i.indrelid = r.oid
      join pg_catalog.pg_class c on c.oid = i.indexrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      union all
      select 'trigger', format('%s %I', r.name, t.tgname), pg_catalog.pg_get_triggerdef(t.oid)
      from (select oid, name from relations union all select oid, name from members) as r
      join pg_catalog.pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
      union all
      select
        'function',
        format('assignment.%I(%s)', p.proname, (
          select string_agg(pg_catalog.format_type(a.type, null), ', ' order by a.position)
          from unnest(p.proargtypes) with ordinality as a (type, position)
        )),
        null
      from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'assignment'
    `;
}
