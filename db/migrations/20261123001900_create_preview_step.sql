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
  v_members record;
  v_result assignment.batch_result;
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
  select * into v_members from assignment.next_members(v_run, v_lane, v_rows);
  v_result := case
    when v_run.trainer_id is null or v_run.kind = 'transfer' then assignment.preview_batch(v_run, v_members.member_ids)
    else assignment.preview_assign_to_trainer(
      v_members.member_ids,
      v_run.trainer_id,
      (select sum(l.successful)::integer from assignment.backfill_lanes l where l.run_id = p_run_id)
    )
  end;
  return jsonb_build_object(
    'lane', v_lane.lane,
    'from_id', v_lane.next_id,
    'next_id', v_members.next_id,
    'members', cardinality(v_members.member_ids),
    'elapsed_ms', extract(epoch from clock_timestamp() - v_began) * 1000,
    'result', to_jsonb(v_result)
  );
end;
$$;

revoke execute on function assignment.preview_step(uuid) from public;
comment on function assignment.preview_step(uuid) is
  'What a step of a dry run would do, as JSON for record_preview. Null when no lane is left or the run is not running.
Writes nothing: call it in a READ ONLY transaction.';

-- migrate:down
drop function if exists assignment.preview_step(uuid);
