-- Waits until no step works on a run. Call it in a separate statement after change_backfill_status has committed: only then do
-- steps see the new status and stop.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.await_lanes(p_run_id uuid)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
begin
  perform from assignment.backfill_lanes where run_id = p_run_id order by lane for share;
end;
$$;

revoke execute on function assignment.await_lanes(uuid) from public;
comment on function assignment.await_lanes(uuid) is
  'Returns once no step holds a lane of the run. Its counters then no longer change, unless it is running.';

-- migrate:down
drop function if exists assignment.await_lanes(uuid);
