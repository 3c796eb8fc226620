-- Follows changes of a member's id. Assignments follow by their foreign keys, but two things do not:
-- a failure, which has no foreign key; and a member whose id changes in the statement that inserts them, because the
-- insert trigger (0900) sees only the old id.
-- The WHEN condition keeps other updates from calling the function. It also makes `alter column id type …` fail until this
-- trigger is dropped.
-- A partitioned table gets no trigger: moving a row to another partition fires no update trigger, and whoever creates a
-- partition would need the right to execute the function.
-- Locks: share row exclusive on public.members (blocks writers briefly; given up after 5 s). Reversible; the down takes
-- access exclusive.

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
  v_capacity integer;
begin
  begin
    v_member_id := new.id;
    v_is_known := exists (select from public.trainer_client_assignments where client_id = v_member_id);
    update assignment.failures set member_id = v_member_id where member_id = old.id;
    v_is_known := v_is_known or found;

    -- The trigger on assignments fires after this one, and takes the seats of the clients whom the foreign key moved.
    update assignment.trainers set trainer_id = v_member_id where trainer_id = old.id returning capacity into v_capacity;
    if found then
      delete from assignment.seats where trainer_id = old.id;
      insert into assignment.seats (trainer_id) select v_member_id from generate_series(1, v_capacity);
    end if;
  exception when others or assert_failure then
    null;  -- assign_or_record records the error
  end;
  begin
    if v_member_id is not null and not v_is_known then
      perform assignment.assign_or_record(array[v_member_id], 'trigger');
    end if;
  exception when others or assert_failure then
    raise warning 'trainer assignment: member % is neither assigned nor recorded as failed: %', v_member_id, sqlerrm
      using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  end;
  return null;  -- ignored for an after trigger
end;
$$;

revoke execute on function assignment.tg_members__follow_id() from public;
comment on function assignment.tg_members__follow_id() is
  'Moves the failure, and the capacity as a trainer, of a member whose id changes to the new id. Assigns the member if there
is neither a failure nor an assignment. Never makes the update fail.';

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
