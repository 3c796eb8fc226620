-- Removes what is kept of members who are deleted, beyond their assignments, which go with them; also from messages that
-- are not sent yet. What another session is at work on is left to it.
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
  delete from assignment.member_hook_failures where member_id = any (p_member_ids);
  delete from assignment.seats where trainer_id = any (p_member_ids);
  delete from assignment.trainers where trainer_id = any (p_member_ids);
  begin
    update assignment.outbox
    set member_ids = array(select unnest(member_ids) except select unnest(p_member_ids))
    where member_ids && p_member_ids;
    update assignment.outbox_gaps
    set member_ids = array(select unnest(member_ids) except select unnest(p_member_ids))
    where member_ids && p_member_ids;
  exception when others or assert_failure then  -- a broken outbox keeps nothing else
    raise warning 'trainer assignment: messages still tell of % deleted members: %', cardinality(p_member_ids), sqlerrm
      using hint = 'The scheduled reconciliation removes them there.';
  end;
end;
$$;

revoke execute on function assignment.forget_members(uuid[]) from public;
comment on function assignment.forget_members(uuid[]) is
  'Deletes the failures, also those of the member hook, the errors of runs, the selections of transfers and the settings as a
trainer of deleted members, takes them out of messages, and moves cursors of backfills on that stand at them.';

-- migrate:down
drop function if exists assignment.forget_members(uuid[]);
