-- Whether anybody wants messages of a type.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.is_wanted(p_type text)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select exists (select from assignment.webhook_endpoints e where e.enabled and p_type = any (e.types))
$$;

revoke execute on function assignment.is_wanted(text) from public;
comment on function assignment.is_wanted(text) is 'Whether an enabled endpoint wants messages of the type.';

-- migrate:down
drop function if exists assignment.is_wanted(text);
