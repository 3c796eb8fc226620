-- Allows only known changes of a run's status, and records each in backfill_events.
-- Locks: none up; the down takes access exclusive on backfill_runs (given up after 5 s). Reversible.

-- migrate:up
create function assignment.tg_backfill_runs__guard_status()
  returns trigger
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if tg_op = 'INSERT' then
    if new.status <> 'running' then
      raise exception 'a backfill run starts as running, not as %', new.status using errcode = 'TA006';
    end if;
    insert into assignment.backfill_events (run_id, actor, to_status, reason)
    values (new.id, new.status_changed_by, new.status, new.status_reason);
  elsif new.status <> old.status then
    if not (
      (old.status = 'running' and new.status in ('paused', 'cancelled', 'succeeded', 'completed_with_errors'))
      or (old.status = 'paused' and new.status in ('running', 'cancelled'))
    ) then
      raise exception 'a backfill run that is % cannot become %', old.status, new.status using errcode = 'TA006';
    end if;
    insert into assignment.backfill_events (run_id, actor, from_status, to_status, reason)
    values (new.id, new.status_changed_by, old.status, new.status, new.status_reason);
  end if;
  return null;  -- ignored for an after trigger
end;
$$;

revoke execute on function assignment.tg_backfill_runs__guard_status() from public;
comment on function assignment.tg_backfill_runs__guard_status() is
  'Allows and records these changes, and raises TA006 for others: running ⇄ paused, running or paused → cancelled,
running → succeeded or completed_with_errors.';

create trigger backfill_runs_guard_status_after_write
  after insert or update of status on assignment.backfill_runs
  for each row
  execute function assignment.tg_backfill_runs__guard_status();

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its trigger, even where the table is already gone.
drop function if exists assignment.tg_backfill_runs__guard_status() cascade;
