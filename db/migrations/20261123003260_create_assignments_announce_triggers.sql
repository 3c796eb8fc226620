-- Announces assignments that were made or ended, by whichever door. The triggers are disabled as long as nobody wants these
-- messages, so that a signup costs nothing more: see set_announcing.
-- Locks: share row exclusive on trainer_client_assignments (given up after 5 s). Reversible.

-- migrate:up
set local lock_timeout = '5s';

create function assignment.tg_trainer_client_assignments__announce()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_ids uuid[];
begin
  if tg_op = 'INSERT' then
    v_ids := array(select n.id from new_rows n where n.status = 'active' order by n.id);
    if v_ids <> '{}' then
      perform assignment.announce('assignments.created', v_ids);
    end if;
    return null;  -- ignored for an after trigger
  end if;

  -- No joins: a session plans them once, and a plan for a few rows would compare each row with each.
  v_ids := array(
    select o.id from old_rows o where o.status = 'active'
    intersect
    select n.id from new_rows n where n.status = 'inactive'
    order by id
  );
  if v_ids <> '{}' then
    perform assignment.announce('assignments.ended', v_ids);
  end if;
  v_ids := array(
    select o.id from old_rows o where o.status = 'inactive'
    intersect
    select n.id from new_rows n where n.status = 'active'
    order by id
  );
  if v_ids <> '{}' then
    perform assignment.announce('assignments.created', v_ids);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: no message tells of a change of assignments: %', sqlerrm;
  return null;
end;
$$;

revoke execute on function assignment.tg_trainer_client_assignments__announce() from public;
comment on function assignment.tg_trainer_client_assignments__announce() is
  'Announces rows that became active or inactive. Never makes the statement fail.';

create trigger trainer_client_assignments_announce_after_insert
  after insert on public.trainer_client_assignments
  referencing new table as new_rows
  for each statement
  execute function assignment.tg_trainer_client_assignments__announce();

create trigger trainer_client_assignments_announce_after_update
  after update on public.trainer_client_assignments
  referencing old table as old_rows new table as new_rows
  for each statement
  execute function assignment.tg_trainer_client_assignments__announce();

alter table public.trainer_client_assignments
  disable trigger trainer_client_assignments_announce_after_insert,
  disable trigger trainer_client_assignments_announce_after_update;

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its triggers, even where the table is already gone.
drop function if exists assignment.tg_trainer_client_assignments__announce() cascade;
