-- Starts a new run for the members that an ended run could not assign.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.retry_backfill(p_run_id uuid, p_requested_by text, p_traceparent text default null)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_run record;
begin
  select case when r.policy_version is null then r.trainer_id end as trainer_id, r.status, p.failed, (select count(*) from assignment.backfill_errors where run_id = p_run_id) as recorded
  into v_run
  from assignment.backfill_runs r
  join assignment.backfill_progress p on p.id = r.id
  where r.id = p_run_id;

  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status in ('running', 'paused') then
    raise exception 'run % is % and can be retried once it has ended', p_run_id, v_run.status using errcode = 'TA006';
  elsif v_run.failed = 0 then
    raise exception 'run % has no failed members to retry', p_run_id using errcode = 'TA006';
  end if;

  -- If not every failed member was recorded, only a run over all members is sure to include them.
  return assignment.start_backfill(
    p_requested_by,
    v_run.trainer_id,
    p_retry_of => p_run_id,
    p_only_failed => v_run.failed = v_run.recorded,
    p_traceparent => p_traceparent
  );
end;
$$;

revoke execute on function assignment.retry_backfill(uuid, text, text) from public;
comment on function assignment.retry_backfill(uuid, text, text) is
  'Starts a run for the failed members of an ended run, and returns its id.
Raises TA007 run not found, TA006 it has not ended or nothing failed, TA005 the trainer has a run that has not ended.';

-- migrate:down
drop function if exists assignment.retry_backfill(uuid, text, text);
