import type { Sql } from "../../src/database/sql.ts";

/**
 * Describes everything that the schemas `public` and `assignment` hold, one object or column a line, as the server
 * itself prints it: so that two databases on the same server can be compared. Leaves out dbmate's own table.
 */
export async function catalogOf(sql: Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`select line from (${linesOf(sql)}) as lines order by line`;
  return rows.map(({ line }) => line);
}

/** A digest of the same, made by the server. */
export async function digestOf(sql: Sql): Promise<string> {
  const [row] = await sql<[{ digest: string }]>`
    select md5(string_agg(line, e'\n' order by line)) as digest from (${linesOf(sql)}) as lines
  `;
  return row.digest;
}

function linesOf(sql: Sql) {
  return sql`
    with schemas as (
      select oid, nspname from pg_namespace where nspname in ('public', 'assignment')
    ),
    relations as (
      select c.*
      from pg_class c
      where c.relnamespace in (select oid from schemas)
        and c.relname !~ '^schema_migrations'
    ),
    functions as (
      select p.* from pg_proc p where p.pronamespace in (select oid from schemas)
    ),
    objects as (
      select format('relation %s %s row security %s %s options %s rights %s',
        oid::regclass, relkind, relrowsecurity, relforcerowsecurity, reloptions, relacl) as line
      from relations
      union all
      select format('column %s.%s %s%s%s default %s rights %s', r.oid::regclass, a.attname,
        format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' end, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid), a.attacl)
      from relations r
      join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
      where r.relkind <> 'i'
      union all
      select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint
      where conrelid in (select oid from relations)
      union all
      select format('index %s', pg_get_indexdef(oid)) from relations where relkind = 'i'
      union all
      select format('trigger %s %s', tgenabled, pg_get_triggerdef(oid))
      from pg_trigger
      where tgrelid in (select oid from relations) and not tgisinternal
      union all
      select format('policy %s on %s %s %s for %s using %s check %s', polname, polrelid::regclass, polcmd,
        case when polpermissive then 'permissive' else 'restrictive' end,
        array(select pg_get_userbyid(role) from unnest(polroles) as role order by 1),
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
      from pg_policy
      where polrelid in (select oid from relations)
      union all
      select format('view %s %s', oid::regclass, pg_get_viewdef(oid)) from relations where relkind = 'v'
      union all
      select format('function %s rights %s', pg_get_functiondef(oid), proacl) from functions where prokind = 'f'
      union all
      select format('type %s %s', typname, typtype) from pg_type where typnamespace in (select oid from schemas) and typname !~ 'schema_migrations'
      union all
      select format('comment on %s %s: %s', object.type, object.identity, d.description)
      from pg_description d
      cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as object
      where d.objoid >= 16384 -- no object of the server's own
        and (
          object.schema in ('public', 'assignment')
          or (d.classoid = 'pg_trigger'::regclass and d.objoid in (select oid from pg_trigger where tgrelid in (select oid from relations)))
        )
    )
    select line from objects
  `;
}
