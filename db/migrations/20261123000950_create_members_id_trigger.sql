-- Members whose id is changed. Assignments follow by their foreign keys; a failure has none, and a member whose id is
-- changed within the statement that inserts them has no assignment yet: the insert trigger (0900) knows the old id alone.
-- The condition is part of the trigger, so that an update of anything else does not call the function. A side effect:
-- `alter column id type …` needs this trigger dropped first.
-- A partitioned table gets none: an update that moves a row to another partition fires no trigger for updated rows, and
-- whoever makes a partition would need the right to execute the function.
-- Locks: share row exclusive on public.members (writers wait while it is taken; given up after 5 s). Reversible (access exclusive).

-- migrate:up
set local lock_timeout = '5s';

create function assignment.tg_members__follow_id()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '50ms'
  language plpgsql
as $$
declare
  v_member_id uuid;
  v_is_known boolean := false;
begin
  begin
    v_member_id := new.id;
    v_is_known := exists (select from public.trainer_client_assignments where client_id = v_member_id);
    update assignment.failures set member_id = v_member_id where member_id = old.id;
    v_is_known := v_is_known or found;
  exception when others or assert_failure then
    null;  -- assign_or_record says what is wrong
  end;
  if v_member_id is not null and not v_is_known then
    perform assignment.assign_or_record(array[v_member_id], 'trigger');
  end if;
  return null;  -- ignored for an after trigger
end;
$$;

revoke execute on function assignment.tg_members__follow_id() from public;
comment on function assignment.tg_members__follow_id() is
  'Moves the failure of a member whose id is changed to the new id; assigns who has neither a failure nor an assignment.
Never makes the update fail.';

do $$
begin
  if (select relkind = 'r' from pg_class where oid = 'public.members'::regclass) then
    create trigger members_follow_id_after_update
      after update on public.members
      for each row
      when (old.id is distinct from new.id)
      execute function assignment.tg_members__follow_id();
  end if;
end;
$$;

-- migrate:down
set local lock_timeout = '5s';

drop function if exists assignment.tg_members__follow_id() cascade;
