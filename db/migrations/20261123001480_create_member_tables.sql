-- Lists the tables that hold members, with the planner's estimate of their rows: members itself, or its leaf partitions,
-- because autovacuum analyzes only leaves.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.member_tables()
  returns table (relid regclass, members real)
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select c.oid::regclass, greatest(c.reltuples, 0)
  from pg_class c
  where c.oid = 'public.members'::regclass
    and c.relkind <> 'p'
  union all
  select c.oid::regclass, greatest(c.reltuples, 0)
  from pg_partition_tree('public.members'::regclass) t
  join pg_class c on c.oid = t.relid
  where t.isleaf
    and c.oid <> 'public.members'::regclass
$$;

revoke execute on function assignment.member_tables() from public;
comment on function assignment.member_tables() is
  'The table members, or the leaf partitions of a partitioned one, with the planner''s estimate of their rows.
0 before the first ANALYZE.';

-- migrate:down
drop function if exists assignment.member_tables();
