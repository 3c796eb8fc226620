-- Lists what would be lost, or would stop it, when a table is made anew under its name.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_partition_obstacles(p_table regclass)
  returns setof text
  stable
  security invoker
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select what
  from (
    select format('foreign key %I of %s', conname, conrelid::regclass)
    from pg_constraint
    where confrelid = p_table
      and contype = 'f'
      and conparentid = 0
    union
    select case w.ev_class when p_table then format('rule %I', w.rulename) else format('view %s', w.ev_class::regclass) end
    from pg_depend d
    join pg_rewrite w on w.oid = d.objid
    where d.classid = 'pg_rewrite'::regclass
      and d.refclassid = 'pg_class'::regclass
      and d.refobjid = p_table
    union
    select format('publication %I', p.pubname)
    from pg_publication_rel r
    join pg_publication p on p.oid = r.prpubid
    where r.prrelid = p_table
    union
    select format('identity column %I', attname)
    from pg_attribute
    where attrelid = p_table
      and attidentity <> ''
    union
    select unnest(array_remove(array[
      case when relreplident <> 'd' then 'replica identity' end,
      case when reltablespace <> 0 then 'tablespace' end
    ], null))
    from pg_class
    where oid = p_table
  ) as obstacle (what)
  order by what
$$;

revoke execute on function assignment.find_partition_obstacles(regclass) from public;
comment on function assignment.find_partition_obstacles(regclass) is
  'What depends on the table itself, or belongs to it and is not among what describe_table copies.';

-- migrate:down
drop function if exists assignment.find_partition_obstacles(regclass);
