-- Records the result of a step of a dry run.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_preview(p_run_id uuid, p_preview jsonb, out work text, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_lane assignment.backfill_lanes;
  v_run assignment.backfill_runs;
  v_result assignment.batch_result := jsonb_populate_record(null::assignment.batch_result, p_preview -> 'result');
begin
  members := 0;
  if p_preview is null then
    select f.work, f.members into record_preview.work, record_preview.members from assignment.finish_backfill(p_run_id) as f;
    return;
  end if;

  select * into v_lane
  from assignment.backfill_lanes
  where run_id = p_run_id
    and lane = (p_preview ->> 'lane')::smallint
  for update;
  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if v_run.status is distinct from 'running' then
    work := 'stopped';
    return;
  elsif v_lane.done or v_lane.next_id <> (p_preview ->> 'from_id')::uuid then
    work := 'busy';
    return;
  end if;

  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;
  members := (p_preview ->> 'members')::integer;
  perform assignment.record_backfill_errors(p_run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane,
    (p_preview ->> 'next_id')::uuid,
    members,
    (p_preview ->> 'elapsed_ms')::double precision,
    v_result
  );
  work := 'batch';
end;
$$;

revoke execute on function assignment.record_preview(uuid, jsonb) from public;
comment on function assignment.record_preview(uuid, jsonb) is
  'Adds a result of preview_step to its run (batch), unless another caller has recorded the same batch (busy).
p_preview null: ends the run, see finish_backfill.';

-- migrate:down
drop function if exists assignment.record_preview(uuid, jsonb);
