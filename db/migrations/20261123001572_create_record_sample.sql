-- Adds to the throughput of a run.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_sample(p_lane assignment.backfill_lanes, p_rows integer)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.backfill_samples (run_id, lane, at, processed)
  values (p_lane.run_id, p_lane.lane, date_trunc('second', clock_timestamp()), p_rows)
  on conflict (run_id, at, lane) do update set processed = backfill_samples.processed + excluded.processed;
end;
$$;

revoke execute on function assignment.record_sample(assignment.backfill_lanes, integer) from public;
comment on function assignment.record_sample(assignment.backfill_lanes, integer) is
  'Adds the rows of a batch of this lane to the present second.';

-- migrate:down
drop function if exists assignment.record_sample(assignment.backfill_lanes, integer);
