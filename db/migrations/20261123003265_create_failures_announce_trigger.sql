-- Announces members who could not be assigned. Disabled as long as nobody wants to hear of it.
-- Locks: share row exclusive on assignment.failures (given up after 5 s). Reversible.

-- migrate:up
set local lock_timeout = '5s';

create function assignment.tg_failures__announce()
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
  v_ids := array(select n.member_id from new_rows n order by n.member_id);
  if v_ids <> '{}' then  -- empty where known failures failed again
    perform assignment.announce('assignment.failed', p_member_ids => v_ids);
  end if;
  return null;  -- ignored for an after trigger
exception when others or assert_failure then
  raise warning 'trainer assignment: no message tells of failed members: %', sqlerrm;
  return null;
end;
$$;

revoke execute on function assignment.tg_failures__announce() from public;
comment on function assignment.tg_failures__announce() is
  'Announces members who could not be assigned. Never makes the statement fail.';

create trigger failures_announce_after_insert
  after insert on assignment.failures
  referencing new table as new_rows
  for each statement
  execute function assignment.tg_failures__announce();

alter table assignment.failures disable trigger failures_announce_after_insert;

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its trigger, even where the table is already gone.
drop function if exists assignment.tg_failures__announce() cascade;
