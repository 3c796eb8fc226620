-- Finds the failures that a message tells of.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.list_told_failures(p_message assignment.outbox)
  returns table (member_id uuid, sqlstate text, attempts integer)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
begin
  return query
  select f.member_id, f.sqlstate, f.attempts from assignment.failures f where f.member_id = any (p_message.member_ids);
end;
$$;

revoke execute on function assignment.list_told_failures(assignment.outbox) from public;
comment on function assignment.list_told_failures(assignment.outbox) is 'The failures of a message that are not over.';

-- migrate:down
drop function if exists assignment.list_told_failures(assignment.outbox);
