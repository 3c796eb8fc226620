-- Lists the statements that give a new table what an old one has: for a table that is made anew under its name.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.describe_table(p_old regclass, p_new text)
  returns setof text
  stable
  security invoker
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language sql
as $$
  select statement
  from (
    select 1, i.indexrelid::bigint,
      regexp_replace(pg_get_indexdef(i.indexrelid), ' ON (ONLY )?' || p_old || ' ', ' ON ' || p_new || ' ')
    from pg_index i
    where i.indrelid = p_old
      and not i.indisprimary
      and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('u', 'x'))
    union all
    select 2, c.oid::bigint, format('alter table %s add constraint %I %s', p_new, c.conname, pg_get_constraintdef(c.oid))
    from pg_constraint c
    where c.conrelid = p_old
      and c.contype in ('u', 'x')
    union all
    select 3, t.oid::bigint, replace(pg_get_triggerdef(t.oid), ' ON ' || p_old || ' ', ' ON ' || p_new || ' ')
    from pg_trigger t
    where t.tgrelid = p_old
      and not t.tgisinternal
    union all
    select 4, t.oid::bigint,
      format(
        'alter table %s %s trigger %I',
        p_new,
        case t.tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end,
        t.tgname
      )
    from pg_trigger t
    where t.tgrelid = p_old
      and not t.tgisinternal
      and t.tgenabled <> 'O'
    union all
    select 5, p.oid::bigint,
      format('create policy %I on %s as %s for %s to %s', p.polname, p_new,
        case when p.polpermissive then 'permissive' else 'restrictive' end,
        case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        (select string_agg(case when r.oid = 0 then 'public' else quote_ident(pg_get_userbyid(r.oid)) end, ', ')
          from unnest(p.polroles) as r (oid))
      )
      || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
      || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    from pg_policy p
    where p.polrelid = p_old
    union all
    select 6, each.place, each.statement
    from pg_class c
    cross join lateral (
      values
        (1, case when c.relrowsecurity then format('alter table %s enable row level security', p_new) end),
        (2, case when c.relforcerowsecurity then format('alter table %s force row level security', p_new) end),
        (3, format('comment on table %s is %L', p_new, obj_description(c.oid, 'pg_class')))
    ) as each (place, statement)
    where c.oid = p_old
      and each.statement is not null
    union all
    select 7, 0, format('select assignment.take_back_defaults(%L)', p_new)
    union all
    select 8, g.place,
      format('grant %s%s on %s to %s%s', g.privilege_type, ' (' || quote_ident(g.column_name) || ')', p_new,
        case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
        case when g.is_grantable then ' with grant option' end)
    from (
      select 0 as place, null::name as column_name, c.relowner, a.*
      from pg_class c
      cross join aclexplode(c.relacl) a
      where c.oid = p_old
      union all
      select t.attnum, t.attname, c.relowner, a.*
      from pg_class c
      join pg_attribute t on t.attrelid = c.oid and not t.attisdropped
      cross join aclexplode(t.attacl) a
      where c.oid = p_old
    ) as g
    where g.grantee <> g.relowner
    union all
    select 9, tree.level,
      format('alter table %s owner to %I', tree.relid, pg_get_userbyid(o.relowner))
    from pg_class o
    join pg_class n on n.oid = to_regclass(p_new) and n.relowner <> o.relowner
    cross join lateral (
      select n.oid::regclass as relid, 0 as level union select relid, level from pg_partition_tree(n.oid)
    ) as tree
    where o.oid = p_old
    union all
    -- Last, for they lock the tables that they reference.
    select 10, c.oid::bigint, format('alter table %s add constraint %I %s', p_new, c.conname, pg_get_constraintdef(c.oid))
    from pg_constraint c
    where c.conrelid = p_old
      and c.contype = 'f'
  ) as listed (part, place, statement)
  order by part, place
$$;

revoke execute on function assignment.describe_table(regclass, text) from public;
comment on function assignment.describe_table(regclass, text) is
  'The statements that give the table p_new what p_old has beside columns, checks and primary key: indexes, constraints,
triggers, policies, rights, comment and owner.';

-- migrate:down
drop function if exists assignment.describe_table(regclass, text);
