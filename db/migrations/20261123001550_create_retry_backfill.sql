-- Starts a new run for the members that an ended run could not assign.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.retry_backfill(
  p_run_id uuid,
  p_requested_by text,
  p_traceparent text default null,
  p_request_id text default null
)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_failed bigint;
  v_only_failed boolean;
begin
  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  end if;
  select p.failed into v_failed from assignment.backfill_progress p where p.id = p_run_id;
  if v_run.status in ('running', 'paused') then
    raise exception 'run % is % and can be retried once it has ended', p_run_id, v_run.status using errcode = 'TA006';
  elsif v_failed = 0 then
    raise exception 'run % has no failed members to retry', p_run_id using errcode = 'TA006';
  end if;

  -- If more failed than are recorded, only a run over all members is sure to include them. Of fewer, those who are no longer
  -- recorded were deleted.
  v_only_failed := v_failed <= 10000;
  if v_run.kind = 'transfer' then
    return assignment.start_transfer(
      p_requested_by,
      v_run.from_trainer_id,
      case when v_run.policy_version is null then v_run.trainer_id end,
      p_condition => v_run.condition,
      p_notes => v_run.notes,
      p_dry_run => v_run.dry_run,
      p_traceparent => p_traceparent,
      p_request_id => p_request_id,
      p_retry_of => p_run_id,
      p_only_failed => v_only_failed
    );
  end if;
  return assignment.start_backfill(
    p_requested_by,
    case when v_run.policy_version is null then v_run.trainer_id end,
    p_dry_run => v_run.dry_run,
    p_retry_of => p_run_id,
    p_only_failed => v_only_failed,
    p_traceparent => p_traceparent,
    p_reassigns => v_run.reassigns,
    p_request_id => p_request_id
  );
end;
$$;

revoke execute on function assignment.retry_backfill(uuid, text, text, text) from public;
comment on function assignment.retry_backfill(uuid, text, text, text) is
  'Starts a run for the failed members of an ended run, and returns its id.
Raises TA007 run not found, TA006 it has not ended or nothing failed, and as start_backfill and start_transfer do.';

-- migrate:down
drop function if exists assignment.retry_backfill(uuid, text, text, text);
