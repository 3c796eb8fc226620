-- Forgets members who are gone although no trigger saw it: deleted from a partition, or with the trigger disabled.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.forget_gone_members()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
begin
  perform assignment.require_visible_rows();  -- a hidden member exists all the same
  perform assignment.forget_members(array(
    select known.id
    from (
      select member_id from assignment.failures
      union
      select member_id from assignment.backfill_errors
      union
      select member_id from assignment.backfill_selected
      union
      select trainer_id from assignment.trainers
      union
      select l.next_id
      from assignment.backfill_lanes l
      join assignment.backfill_runs r on r.id = l.run_id
      where not l.done
        and (r.kind = 'backfill' or r.only_selected or r.only_failed)  -- other cursors are ids of assignments
      union
      select unnest(member_ids) from assignment.outbox where member_ids is not null
      union
      select unnest(member_ids) from assignment.outbox_gaps
    ) as known (id)
    where not exists (select from public.members m where m.id = known.id)
  ));
  -- Its members are yet to come. One who came by another way needs it no more, and might go unseen.
  delete from assignment.member_hook_failures f where exists (select from public.members m where m.id = f.member_id);
end;
$$;

revoke execute on function assignment.forget_gone_members() from public;
comment on function assignment.forget_gone_members() is
  'Forgets members of whom something is kept although they no longer exist, and the failures of
the member hook of members who exist by now. Raises where rows of members are hidden.';

-- migrate:down
drop function if exists assignment.forget_gone_members();
