-- Locks members as a foreign key does, before their assignments change. Whoever deletes a member locks the member first
-- and the assignments then: in another order, the two would deadlock, and the application's DELETE might be what fails.
-- Locks: none by the migration. The function takes key share on rows of members. Reversible.

-- migrate:up
create function assignment.lock_members(p_member_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language plpgsql
as $$
begin
  perform from public.members m where m.id = any (p_member_ids) order by m.id for key share;
exception when insufficient_privilege then
  null;  -- locking rows needs the right to update; without it, a deadlock is possible, and the step is tried again
end;
$$;

revoke execute on function assignment.lock_members(uuid[]) from public;
comment on function assignment.lock_members(uuid[]) is
  'Locks the given members'' rows as a foreign key does, in key order, where the owner of this function may. Waits up to
lock_timeout.';

-- migrate:down
drop function if exists assignment.lock_members(uuid[]);
