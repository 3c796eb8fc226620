-- Reads a UUID from a text of the application, without raising.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.read_uuid(p_text text)
  returns uuid
  immutable
  parallel safe
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select case when p_text ~ '^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$' then p_text::uuid end
$$;

revoke execute on function assignment.read_uuid(text) from public;
comment on function assignment.read_uuid(text) is 'The UUID that a text spells. Null: it spells none.';

-- migrate:down
drop function if exists assignment.read_uuid(text);
