-- Removes deleted members from failures and runs. What another session is at work on is left to it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.forget_in_runs(p_member_ids uuid[])
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
  update assignment.backfill_lanes l
  set next_id = least(
    (select m.id from public.members m where m.id > l.next_id order by m.id limit 1),
    l.upper_id
  )
  where (l.run_id, l.lane) in (
    select run_id, lane
    from assignment.backfill_lanes
    where next_id = any (p_member_ids)
      and not done
    for update skip locked  -- a step under way moves it on itself
  );
end;
$$;

revoke execute on function assignment.forget_in_runs(uuid[]) from public;
comment on function assignment.forget_in_runs(uuid[]) is
  'Deletes the failures, the errors of runs and the selections of transfers of deleted members, and moves cursors of backfills
on that stand at them.';

-- migrate:down
drop function if exists assignment.forget_in_runs(uuid[]);
