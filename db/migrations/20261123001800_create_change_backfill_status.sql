-- Pauses, resumes or cancels a run.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.change_backfill_status(
  p_run_id uuid,
  p_to text,
  p_actor text,
  p_reason text default null,
  p_traceparent text default null,
  p_request_id text default null
)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
declare
  v_from text;
begin
  select status into v_from from assignment.backfill_runs where id = p_run_id for no key update;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_from not in ('running', 'paused') or p_to not in ('running', 'paused', 'cancelled') or v_from = p_to then
    -- checked here: if the trainer has another run, the unique index would raise first, with a less clear message
    raise exception 'a backfill run that is % cannot become %', v_from, p_to using errcode = 'TA006';
  end if;

  update assignment.backfill_runs
  set status = p_to,
    status_changed_by = p_actor,
    status_reason = p_reason,
    status_request_id = p_request_id,
    finished_at = case when p_to = 'cancelled' then clock_timestamp() end,
    throttled_because = null,
    tries = 0,
    resume_traceparent = case p_to when 'running' then p_traceparent else resume_traceparent end
  where id = p_run_id;
end;
$$;

revoke execute on function assignment.change_backfill_status(uuid, text, text, text, text, text) from public;
comment on function assignment.change_backfill_status(uuid, text, text, text, text, text) is
  'Sets the status of a run to p_to: running, paused or cancelled.
Raises TA006 the current status does not allow it, TA007 run not found.';

-- migrate:down
drop function if exists assignment.change_backfill_status(uuid, text, text, text, text, text);
