-- Auto-assignment of whoever is inserted into members, by anybody, one call a statement.
-- Locks: share row exclusive on public.members (writers wait while it is taken; given up after 5 s). Reversible (access exclusive).
-- Creating the trigger wants the right TRIGGER on members, commenting on it its owner: the comment is the function's.

-- migrate:up
set local lock_timeout = '5s';

-- When all goes well this is one statement in one sub-transaction, which a signup hardly notices. When anything does
-- not, that is undone, and assign_or_record does it again with all its care: the short lock_timeout leaves it its own. A
-- trainer who is not configured is a null here, which is refused; assignment.default_trainer_id() then says why.
create function assignment.tg_members__assign_trainer()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '50ms'
  language plpgsql
as $$
declare
  v_member_ids uuid[];
  v_assigned bigint;
begin
  begin
    insert into public.trainer_client_assignments (trainer_id, client_id, source)
    select (select default_trainer_id from assignment.settings), id, 'trigger'
    from new_members
    where id is not null  -- unique, not always a primary key
    order by id
    on conflict (client_id, trainer_id) where status = 'active' do nothing;

    get diagnostics v_assigned = row_count;
    if v_assigned = (select count(id) from new_members) then
      return null;  -- ignored for an after trigger
    end if;
    raise exception 'not all of them were assigned';
  exception when others or assert_failure then
    null;
  end;

  begin
    v_member_ids := array(select id from new_members where id is not null);
  exception when others or assert_failure then
    raise warning 'trainer assignment: new members could not be read, and are neither assigned nor recorded as failed: %', sqlerrm
      using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  end;
  if cardinality(v_member_ids) > 0 then
    perform assignment.assign_or_record(v_member_ids, 'trigger');
  end if;
  return null;
end;
$$;

revoke execute on function assignment.tg_members__assign_trainer() from public;
comment on function assignment.tg_members__assign_trainer() is
  'Gives the members that one INSERT statement added the default trainer. Whatever goes wrong is recorded and retried
later: it never makes the insert fail.';

create trigger members_assign_trainer_after_insert
  after insert on public.members
  referencing new table as new_members
  for each statement
  execute function assignment.tg_members__assign_trainer();

-- migrate:down
set local lock_timeout = '5s';

-- With the function goes its trigger, which by its own name only the owner of members may drop.
drop function if exists assignment.tg_members__assign_trainer() cascade;
