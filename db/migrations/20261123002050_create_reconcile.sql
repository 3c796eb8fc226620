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
      return null;  -- whoever is missed is found by the run that is under way
    end if;
    raise;  -- paused, a dry run or a retry, it assigns nobody, or few: the slot is left to a later try, unclaimed
  end;
  update assignment.reconciliations set run_id = v_run_id where slot = p_slot;
  return v_run_id;
end;
$$;

revoke execute on function assignment.reconcile(timestamptz, text) from public;
comment on function assignment.reconcile(timestamptz, text) is
  'Claims a slot of the schedule, mirrors who was missed in watched tables, and starts a run, unless the slot was claimed or a run is under way (then null).
Raises TA005 while a dry run or a retry is under way, or a run is paused: try again.';

-- migrate:down
drop function if exists assignment.reconcile(timestamptz, text);
