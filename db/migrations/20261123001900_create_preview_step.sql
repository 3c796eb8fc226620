-- Does one step of a dry run without writing: the caller runs it in a READ ONLY transaction, and then passes the result to
-- record_preview.
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
    return null;  -- record_preview then reports stopped, even if reading members would fail
  end if;

  -- A random lane, not locked. If two callers take the same one, only one result is recorded.
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

revoke execute on function assignment.preview_step(uuid) from public;
comment on function assignment.preview_step(uuid) is
  'What a step of a dry run would do, as JSON for record_preview. Null when no lane is left or the run is not running.
Writes nothing: call it in a READ ONLY transaction.';

-- migrate:down
drop function if exists assignment.preview_step(uuid);
