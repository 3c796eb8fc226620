-- Finds trigger functions on the assignments that set no search_path of their own. They run with the search_path of this
-- service, which does not include public, and fail to find their tables.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.describe_search_path()
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select format(
    'Triggers on trainer_client_assignments run with search_path = pg_catalog, pg_temp: '
    'write names there with their schema, or run: %s',
    string_agg(
      distinct format('alter function %s set search_path = public, pg_temp;', t.tgfoid::regprocedure), ' '
    )
  )
  from pg_trigger t
  join pg_proc p on p.oid = t.tgfoid
  where t.tgrelid = to_regclass('public.trainer_client_assignments')
    and not t.tgisinternal
    and not exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%')
  having count(*) > 0
$$;

revoke execute on function assignment.describe_search_path() from public;
comment on function assignment.describe_search_path() is
  'What to do about triggers on trainer_client_assignments whose functions set no search_path. Null: there are none.';

-- migrate:down
drop function if exists assignment.describe_search_path();
