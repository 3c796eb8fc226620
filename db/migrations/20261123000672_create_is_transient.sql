-- Tells errors that pass by themselves from errors of a row: only the latter are recorded as a failure of that row.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.is_transient(p_sqlstate text)
  returns boolean
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select p_sqlstate in ('25006', '55P03', 'TA023') or left(p_sqlstate, 2) in ('08', '40', '53', '57', '58')
$$;

revoke execute on function assignment.is_transient(text) from public;
comment on function assignment.is_transient(text) is
  'Whether an error says nothing about the row and a later attempt may succeed: locks, serialization, resources,
shutdown, I/O, read-only server, what a shard waits for from others.';

-- migrate:down
drop function if exists assignment.is_transient(text);
