-- Keeps seats in step with assignments that end, start again or are deleted, by this service or by anyone else.
-- Locks: share row exclusive on public.trainer_client_assignments (blocks writers briefly; given up after 5 s). Reversible.

-- migrate:up
set local lock_timeout = '5s';

create function assignment.tg_trainer_client_assignments__keep_seats()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_before uuid[];
  v_after uuid[] := '{}';
  v_freed uuid[];
begin
  if not exists (select from assignment.trainers where capacity is not null) then
    return null;  -- ignored for an after trigger
  end if;
  v_before := array(select trainer_id from old_rows where status = 'active');
  if tg_op = 'UPDATE' then
    v_after := array(select trainer_id from new_rows where status = 'active');
  end if;
  perform assignment.take_seats(array(select unnest(v_after) except all select unnest(v_before)));
  v_freed := array(
    select freed.id
    from (select unnest(v_before) except all select unnest(v_after)) as freed (id)
    join assignment.trainers t on t.trainer_id = freed.id
    where t.capacity is not null
  );
  if v_freed <> '{}' then
    perform assignment.give_back_seats(v_freed);
    perform assignment.make_waiting_due(v_freed);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: seats are out of step: %', sqlerrm
    using hint = 'The scheduled reconciliation repairs them; select assignment.settle_all_seats() does so now.';
  return null;
end;
$$;

revoke execute on function assignment.tg_trainer_client_assignments__keep_seats() from public;
comment on function assignment.tg_trainer_client_assignments__keep_seats() is
  'Gives back the seats of assignments that are no longer active, and takes seats for those that became active. Never makes
the statement fail.';

create trigger trainer_client_assignments_keep_seats_after_update
  after update on public.trainer_client_assignments
  referencing old table as old_rows new table as new_rows
  for each statement
  execute function assignment.tg_trainer_client_assignments__keep_seats();

create trigger trainer_client_assignments_keep_seats_after_delete
  after delete on public.trainer_client_assignments
  referencing old table as old_rows
  for each statement
  execute function assignment.tg_trainer_client_assignments__keep_seats();

-- migrate:down
set local lock_timeout = '5s';

drop function if exists assignment.tg_trainer_client_assignments__keep_seats() cascade;
