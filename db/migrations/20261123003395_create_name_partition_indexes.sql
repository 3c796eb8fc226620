-- Names the partitions' indexes after those of the whole table: errors name the index of a partition, and applications know
-- the whole table's.
-- Locks: none by the migration. The function takes share update exclusive on the indexes. Reversible.

-- migrate:up
create function assignment.name_partition_indexes(p_table regclass)
  returns void
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_index record;
begin
  for v_index in
    select i.indexrelid::regclass as now, w.relname || substring(c.relname from '_\d+$') as name
    from pg_inherits p
    join pg_class c on c.oid = p.inhrelid
    join pg_index i on i.indrelid = c.oid
    join pg_inherits part on part.inhrelid = i.indexrelid
    join pg_class w on w.oid = part.inhparent
    where p.inhparent = p_table
    order by i.indexrelid
  loop
    if octet_length(v_index.name) < 64 and to_regclass('public.' || quote_ident(v_index.name)) is null then
      execute format('alter index %s rename to %I', v_index.now, v_index.name);
    end if;
  end loop;
end;
$$;

revoke execute on function assignment.name_partition_indexes(regclass) from public;
comment on function assignment.name_partition_indexes(regclass) is
  'Renames the indexes of partition 7 as those of the whole table with _7 behind, unless such a name is taken or too long.';

-- migrate:down
drop function if exists assignment.name_partition_indexes(regclass);
