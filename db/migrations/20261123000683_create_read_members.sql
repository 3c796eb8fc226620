-- Reads members' rows in the form that rules read.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.read_members(p_member_ids uuid[], out member_ids uuid[], out member_rows jsonb[])
  stable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set extra_float_digits = 1  -- numbers as they are, whatever the session prefers
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language plpgsql
as $$
begin
  perform assignment.require_visible_rows();  -- a hidden member exists all the same
  select coalesce(array_agg(m.id order by m.id), '{}'), coalesce(array_agg(to_jsonb(m) order by m.id), '{}')
  into member_ids, member_rows
  from public.members m
  where m.id = any (p_member_ids);
exception when data_exception then
  select coalesce(array_agg(m.id order by m.id), '{}'), coalesce(array_agg(assignment.as_jsonb(to_json(m)) order by m.id), '{}')
  into member_ids, member_rows
  from public.members m
  where m.id = any (p_member_ids);
end;
$$;

revoke execute on function assignment.read_members(uuid[]) from public;
comment on function assignment.read_members(uuid[]) is
  'The given members who exist, in key order, each with its row as jsonb. Times are in UTC.';

-- migrate:down
drop function if exists assignment.read_members(uuid[]);
