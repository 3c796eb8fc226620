-- Cuts trainer_client_assignments into hash partitions of the client, or makes one table of it again:
-- `deno task migrate --partitions N`.
-- Locks: none by the migration. The function takes access exclusive on trainer_client_assignments, and at its end share row
-- exclusive on public.members for the foreign keys; it gives up after waiting 5 s for a lock. docs/scaling.md has its time.
-- Reversible.

-- migrate:up
create function assignment.partition_assignments(p_partitions integer)
  returns bigint
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  set quote_all_identifiers = off
  language plpgsql
as $$
declare
  v_old regclass := 'public.trainer_client_assignments';
  v_obstacles text[];
  v_columns text;
  v_options text;
  v_statement text;
  v_rows bigint;
begin
  if p_partitions is null or p_partitions not between 1 and 1024 then
    raise exception 'the number of partitions must be from 1 (none) to 1024' using errcode = 'invalid_parameter_value';
  end if;
  lock table public.trainer_client_assignments in access exclusive mode;
  if (select relkind = 'p' from pg_class where oid = v_old) = (p_partitions > 1)
    and (select greatest(count(*), 1) from pg_inherits where inhparent = v_old) = p_partitions
  then
    return null;
  end if;

  v_obstacles := array(select assignment.find_partition_obstacles(v_old));
  if v_obstacles <> '{}' then
    raise exception 'trainer_client_assignments cannot be partitioned with what hangs on it: %', array_to_string(v_obstacles, ', ')
      using errcode = 'dependent_objects_still_exist', hint = 'Drop it, run this again, then create it anew.';
  end if;

  select string_agg(quote_ident(attname), ', ' order by attnum) into v_columns
  from pg_attribute
  where attrelid = v_old
    and attnum > 0
    and not attisdropped
    and attgenerated = '';
  select coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '') into v_options
  from pg_class
  where oid in (select v_old union all select relid from pg_partition_tree(v_old) where isleaf)
    and relkind = 'r'
  order by oid
  limit 1;

  -- The names become free: indexes move with their table.
  for v_statement in
    select format('alter table %s set schema assignment', tree.relid)
    from (select v_old as relid, 0 as level union select relid, level from pg_partition_tree(v_old)) as tree
    order by tree.level
  loop
    execute v_statement;
  end loop;
  alter table assignment.trainer_client_assignments rename to assignments_before;

  execute format(
    'create table public.trainer_client_assignments (like assignment.assignments_before including all excluding indexes)%s',
    case when p_partitions > 1 then ' partition by hash (client_id)' else v_options end
  );
  if p_partitions > 1 then
    for remainder in 0 .. p_partitions - 1 loop
      execute format(
        'create table public.trainer_client_assignments_%1$s partition of public.trainer_client_assignments
           for values with (modulus %2$s, remainder %1$s)%3$s',
        remainder, p_partitions, v_options
      );
      perform assignment.take_back_defaults(format('public.trainer_client_assignments_%s', remainder)::regclass);
    end loop;
  end if;
  execute format(
    'insert into public.trainer_client_assignments (%1$s) overriding system value select %1$s from assignment.assignments_before',
    v_columns
  );
  get diagnostics v_rows = row_count;

  -- By id first, for assignments are looked up by it alone.
  execute format(
    'alter table public.trainer_client_assignments add constraint trainer_client_assignments_pkey primary key (%s)',
    case when p_partitions > 1 then 'id, client_id' else 'id' end
  );
  for v_statement in select assignment.describe_table('assignment.assignments_before', 'public.trainer_client_assignments') loop
    execute v_statement;
  end loop;
  drop table assignment.assignments_before;
  perform assignment.name_partition_indexes('public.trainer_client_assignments');
  if v_rows > 0 then
    analyze public.trainer_client_assignments;
  end if;
  return v_rows;
end;
$$;

revoke execute on function assignment.partition_assignments(integer) from public;
comment on function assignment.partition_assignments(integer) is
  'Makes trainer_client_assignments anew with this many hash partitions of client_id; 1: one table. Keeps rows, indexes,
constraints, triggers, rights and policies. Returns how many rows moved; null: there was nothing to do. Signups that come
meanwhile commit, and are assigned by the next retry.';

-- migrate:down
drop function if exists assignment.partition_assignments(integer);
