-- Lists the tables of this service, for the grants and policies that each of them needs.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.own_tables()
  returns setof regclass
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select oid::regclass
  from pg_class
  where relkind in ('r', 'p')
    and (relnamespace = to_regnamespace('assignment') or oid = to_regclass('public.trainer_client_assignments'))
  order by oid::regclass::text
$$;

revoke execute on function assignment.own_tables() from public;
comment on function assignment.own_tables() is
  'The tables of this service: trainer_client_assignments and all of the schema assignment.';

-- migrate:down
drop function if exists assignment.own_tables();
