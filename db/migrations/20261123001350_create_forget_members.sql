-- Removes what is kept of members who are deleted, beyond their assignments, which go with them.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.forget_members(p_member_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
begin
  delete from assignment.failures
  where member_id in (
    select member_id
    from assignment.failures
    where member_id = any (p_member_ids)
    for update skip locked  -- a retry under way finds out itself
  );
  delete from assignment.backfill_errors where member_id = any (p_member_ids);
  delete from assignment.backfill_selected where member_id = any (p_member_ids);
  delete from assignment.seats where trainer_id = any (p_member_ids);
  delete from assignment.trainers where trainer_id = any (p_member_ids);
end;
$$;

revoke execute on function assignment.forget_members(uuid[]) from public;
comment on function assignment.forget_members(uuid[]) is
  'Deletes the failures, the errors of runs, the selections of transfers and the settings as a trainer of deleted members.';

-- migrate:down
drop function if exists assignment.forget_members(uuid[]);
