-- The role under which the session acts.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.database_role()
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select coalesce(nullif(current_setting('role'), 'none'), session_user)
$$;

revoke execute on function assignment.database_role() from public;
comment on function assignment.database_role() is
  'The role that the session chose with SET ROLE, else the one that it connected as. Unlike current_user, it is not changed by
a function that runs as its owner.';

-- migrate:down
drop function if exists assignment.database_role();
