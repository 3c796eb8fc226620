-- Dry runs: a batch is looked at in a READ ONLY transaction of the caller's, then its counts are recorded.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.preview_step(p_run_id uuid)
  returns jsonb
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_run assignment.backfill_runs;
  v_lane assignment.backfill_lanes;
  v_rows integer;
  v_ids uuid[];
  v_sorted record;
  v_failures assignment.member_failure[];
begin
  select * into v_run from assignment.backfill_runs where id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status <> 'running' then
    return null;  -- record_preview says that it is stopped, also where a look would fail
  end if;

  -- Any lane: two callers that take the same one waste a look, no more, for only one of them is recorded.
  select * into v_lane from assignment.backfill_lanes where run_id = p_run_id and not done order by random() limit 1;
  if not found then
    return null;
  end if;

  v_rows := coalesce(v_run.batch_rows, v_lane.batch_rows);
  v_ids := assignment.next_members(v_lane, null, v_rows);
  select * into v_sorted from assignment.sort_members(v_ids[:v_rows], v_run.trainer_id);

  if cardinality(assignment.find_refused_members(array[v_run.trainer_id], 'trainer_client_assignments_trainer_id_fkey')) > 0 then
    raise exception '%', assignment.describe_misplaced_key('trainer_client_assignments_trainer_id_fkey') using errcode = 'TA009';
  end if;
  v_failures := array(
    select row(id, 'TA009', assignment.describe_misplaced_key('trainer_client_assignments_client_id_fkey'))::assignment.member_failure
    from unnest(assignment.find_refused_members(v_sorted.unassigned, 'trainer_client_assignments_client_id_fkey')) as refused (id)
  );
  return jsonb_build_object(
    'lane', v_lane.lane,
    'from_id', v_lane.next_id,
    'next_id', v_ids[v_rows + 1],
    'members', cardinality(v_ids[:v_rows]),
    'elapsed_ms', extract(epoch from clock_timestamp() - v_began) * 1000,
    'result', jsonb_build_object(
      'successful', cardinality(v_sorted.unassigned) - cardinality(v_failures),
      'already_assigned', v_sorted.already_assigned,
      'ended', v_sorted.ended,
      'is_trainer', v_sorted.is_trainer,
      'member_gone', 0,
      'failures', to_jsonb(v_failures)
    )
  );
end;
$$;

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

revoke execute on function assignment.preview_step(uuid) from public;
revoke execute on function assignment.record_preview(uuid, jsonb) from public;
comment on function assignment.preview_step(uuid) is
  'What a step of a dry run would do, as JSON for record_preview; null when no lane is left, or the run is not running. Writes nothing: call it in a READ ONLY transaction.';
comment on function assignment.record_preview(uuid, jsonb) is
  'Adds a preview to its run, unless another has been recorded for the same batch (busy); with null, ends the run (finished).';

-- migrate:down
drop function if exists assignment.record_preview(uuid, jsonb);
drop function if exists assignment.preview_step(uuid);
