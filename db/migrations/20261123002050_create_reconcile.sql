-- Starts the scheduled reconciliation. All replicas call it for each slot; one of them starts the run.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.reconcile(p_slot timestamptz, p_traceparent text default null)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_run_id uuid;
  v_active_id uuid;
begin
  insert into assignment.reconciliations (slot) values (p_slot) on conflict (slot) do nothing;
  if not found then
    return null;
  end if;
  perform assignment.mirror_all_missed();
  update assignment.reconciliations
  set repaired_seats = (select coalesce(sum(abs(missing)), 0) from assignment.settle_all_seats())
  where slot = p_slot;
  begin
    v_run_id := assignment.start_backfill('schedule', p_traceparent => p_traceparent);
  exception when sqlstate 'TA005' then
    get stacked diagnostics v_active_id = pg_exception_detail;
    if exists (
      select
      from assignment.backfill_runs
      where id = v_active_id
        and status = 'running'
        and not (dry_run or only_failed)
    ) then
      return null;  -- the running one finds the missed members
    end if;
    raise;  -- a paused run, a dry run or a retry does not find them: the slot stays unclaimed for a later try
  end;
  update assignment.reconciliations set run_id = v_run_id where slot = p_slot;
  return v_run_id;
end;
$$;

revoke execute on function assignment.reconcile(timestamptz, text) from public;
comment on function assignment.reconcile(timestamptz, text) is
  'Claims a slot of the schedule, mirrors missed rows of watched tables, repairs seats, and starts a run. Returns its id, or null when
the slot is already claimed or a run is running. Raises TA005 when the run that has not ended is paused, a dry run or a
retry of failed members: try again later.';

-- migrate:down
drop function if exists assignment.reconcile(timestamptz, text);
