-- Adds the result of a batch to its lane, moves the cursor, and records the time that it took.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_batch(
  p_lane assignment.backfill_lanes,
  p_next_id uuid,
  p_rows integer,
  p_elapsed_ms double precision,
  p_result assignment.batch_result
)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_row_us real[] := p_lane.recent_row_us;
begin
  if p_rows > 0 then
    v_row_us := (v_row_us || (p_elapsed_ms * 1000 / p_rows)::real);
    v_row_us := v_row_us[greatest(1, cardinality(v_row_us) - 19):];

    perform assignment.record_sample(p_lane, p_rows);
  end if;

  update assignment.backfill_lanes
  set next_id = coalesce(p_next_id, upper_id),
    done = p_next_id is null,
    batch_rows = case
      when p_next_id is null then batch_rows
      else assignment.next_batch_rows(batch_rows, v_row_us, p_elapsed_ms)
    end,
    recent_row_us = v_row_us,
    successful = successful + p_result.successful,
    already_assigned = already_assigned + p_result.already_assigned,
    ended = ended + p_result.ended,
    is_trainer = is_trainer + p_result.is_trainer,
    member_gone = member_gone + p_result.member_gone,
    excluded = excluded + p_result.excluded,
    not_selected = not_selected + p_result.not_selected,
    failed = failed + cardinality(p_result.failures)
  where run_id = p_lane.run_id
    and lane = p_lane.lane;

  perform assignment.record_choices(p_lane, p_result.choices);
end;
$$;

revoke execute on function
  assignment.record_batch(assignment.backfill_lanes, uuid, integer, double precision, assignment.batch_result) from public;
comment on function assignment.record_batch(assignment.backfill_lanes, uuid, integer, double precision, assignment.batch_result) is
  'Adds a result to the counters of a locked lane, sets its cursor and its next batch size, and adds to the throughput.
p_next_id null: the lane is done.';

-- migrate:down
drop function if exists assignment.record_batch(assignment.backfill_lanes, uuid, integer, double precision, assignment.batch_result);
