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
  perform assignment.forget_in_runs(p_member_ids);
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
