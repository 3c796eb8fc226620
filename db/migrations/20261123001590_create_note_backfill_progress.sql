-- Notes that a run is making progress. Skips a locked run: the other step notes the same, and lanes must not wait
-- for each other.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.note_backfill_progress(p_run_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  update assignment.backfill_runs
  set started_at = coalesce(started_at, clock_timestamp()), tries = 0
  where id = (select id from assignment.backfill_runs where id = p_run_id for no key update skip locked)
$$;

revoke execute on function assignment.note_backfill_progress(uuid) from public;
comment on function assignment.note_backfill_progress(uuid) is
  'Sets started_at, if it is not set yet, and resets tries. Does nothing while another transaction has locked the run.';

-- migrate:down
drop function if exists assignment.note_backfill_progress(uuid);
