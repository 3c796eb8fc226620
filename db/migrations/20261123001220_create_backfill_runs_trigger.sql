-- Allows only known changes of a run's status, and records each in backfill_events and in the audit log.
-- Locks: none up; the down takes access exclusive on backfill_runs (given up after 5 s). Reversible.

-- migrate:up
create function assignment.tg_backfill_runs__guard_status()
  returns trigger
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_from text := case tg_op when 'UPDATE' then old.status end;
begin
  if new.status = v_from then
    return null;  -- ignored for an after trigger
  elsif v_from is null and new.status <> 'running' then
    raise exception 'a backfill run starts as running, not as %', new.status using errcode = 'TA006';
  elsif not (
    v_from is null
    or (v_from = 'running' and new.status in ('paused', 'cancelled', 'succeeded', 'completed_with_errors'))
    or (v_from = 'paused' and new.status in ('running', 'cancelled'))
  ) then
    raise exception 'a backfill run that is % cannot become %', v_from, new.status using errcode = 'TA006';
  end if;
  insert into assignment.backfill_events (run_id, actor, from_status, to_status, reason)
  values (new.id, new.status_changed_by, v_from, new.status, new.status_reason);
  perform assignment.record_audit(
    new.status_changed_by,
    case
      when v_from is null then 'run.started'
      when new.status = 'running' then 'run.resumed'
      when new.status in ('paused', 'cancelled') then 'run.' || new.status
      else 'run.ended'
    end,
    'run:' || new.id,
    array[new.from_trainer_id, new.trainer_id],
    case when v_from is not null then jsonb_build_object('status', v_from) end,
    jsonb_strip_nulls(jsonb_build_object(
      'kind', new.kind,
      'status', new.status,
      'reason', new.status_reason,
      'dryRun', new.dry_run,
      'fromTrainerId', new.from_trainer_id,
      'trainerId', new.trainer_id,
      'policyVersion', new.policy_version,
      'reassign', nullif(new.reassigns, false)
    )),
    new.status_request_id
  );
  if new.status not in ('running', 'paused') then
    perform assignment.announce('run.ended', p_run_id => new.id);
  end if;
  return null;
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
