-- Reads members' rows in the form that rules read.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.read_members(p_member_ids uuid[], out member_ids uuid[], out member_rows jsonb[])
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows
  set timezone = 'UTC'
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  select coalesce(array_agg(m.id order by m.id), '{}'), coalesce(array_agg(to_jsonb(m) order by m.id), '{}')
  from public.members m
  where m.id = any (p_member_ids)
$$;

revoke execute on function assignment.read_members(uuid[]) from public;
comment on function assignment.read_members(uuid[]) is
  'The given members who exist, in key order, each with its row as jsonb. Times are in UTC.';

-- migrate:down
drop function if exists assignment.read_members(uuid[]);
