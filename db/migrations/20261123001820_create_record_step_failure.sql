-- Counts the failed steps of a run, and pauses it after too many in a row.
-- A lost connection fails all lanes of all replicas at once, which must count as one. So a caller with several lanes passes
-- how often in a row the lane at hand has failed (p_own_tries).
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_step_failure(
  p_run_id uuid,
  p_sqlstate text,
  p_message text,
  p_max_tries integer default 10,
  p_own_tries integer default null,
  out tries integer,
  out paused boolean
)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '10s'
  language plpgsql
as $$
begin
  paused := false;
  update assignment.backfill_runs r
  set tries = least(r.tries + 1, p_own_tries)
  where r.id = p_run_id
    and r.status = 'running'
  returning r.tries into record_step_failure.tries;
  if not found then
    tries := 0;
    return;
  end if;

  if p_sqlstate in ('55P03', '57014') then
    perform assignment.halve_batches(p_run_id);
  end if;

  if tries >= p_max_tries then
    perform assignment.change_backfill_status(
      p_run_id,
      'paused',
      'service',
      format('%s tries failed in a row: %s (%s)', tries, left(p_message, 1000), p_sqlstate)
    );
    paused := true;
  end if;
end;
$$;

revoke execute on function assignment.record_step_failure(uuid, text, text, integer, integer) from public;
comment on function assignment.record_step_failure(uuid, text, text, integer, integer) is
  'Counts a failed step. Halves the batches after a lock or statement time-out. Pauses the run after p_max_tries
consecutive failures; null: never, for what passes by itself.';

-- migrate:down
drop function if exists assignment.record_step_failure(uuid, text, text, integer, integer);
