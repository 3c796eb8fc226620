-- A dry run: what a step would do is found in a transaction that can only read, and recorded in another.
create function assignment.preview_shard(p_argument jsonb)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_run assignment.backfill_runs := jsonb_populate_record(null::assignment.backfill_runs, p_argument);
  v_lane assignment.backfill_lanes;
  v_next record;
  v_result assignment.batch_result;
begin
  select * into v_lane from assignment.backfill_lanes l where l.run_id = v_run.id and not l.done order by l.lane limit 1;
  if v_lane is null then
    return '{}';  -- done, and the coordinator has not noted it
  end if;
  select * into v_next from assignment.next_members(v_run, v_lane, coalesce(v_run.batch_rows, v_lane.batch_rows));
  v_result := case
    when v_run.trainer_id is null or v_run.kind = 'transfer' then assignment.preview_batch(v_run, v_next.member_ids)
    else assignment.preview_assign_to_trainer(v_next.member_ids, v_run.trainer_id, 0)
  end;
  return jsonb_build_object(
    'lane', v_lane.lane,
    'from_id', v_lane.next_id,
    'next_id', v_next.next_id,
    'members', cardinality(v_next.member_ids),
    'elapsed_ms', extract(epoch from clock_timestamp() - v_began) * 1000,
    'result', to_jsonb(v_result)
  );
end;
$$;

create or replace function assignment.preview_step(p_run_id uuid)
  returns jsonb
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_places uuid[];
  v_place uuid;
  v_free jsonb;
  v_taken assignment.trainer_count[];
  v_preview jsonb;
begin
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if not found then
    raise exception 'run % does not exist', p_run_id using errcode = 'TA007';
  elsif v_run.status <> 'running' then
    return null;
  end if;
  v_places := array(select p.place from assignment.backfill_places p where p.run_id = p_run_id and p.is_open order by p.lane);
  if v_places = '{}' then
    return null;
  end if;
  -- Where seats are shared out, each batch must know what earlier ones gave away: one place after the other.
  v_free := assignment.count_free_seats();
  v_place := v_places[1 + case when v_free is null then floor(random() * cardinality(v_places)) else 0 end];
  if v_free is not null then
    v_taken := array(
      select row(b.trainer_id, sum(b.members))::assignment.trainer_count  -- the place itself knows its own
      from assignment.backfill_choices b
      where b.run_id = p_run_id
        and b.place <> v_place
      group by b.trainer_id
    );
    if v_run.kind = 'backfill' and v_run.trainer_id is not null then
      v_taken := array(
        select row(v_run.trainer_id, sum(l.successful))::assignment.trainer_count
        from assignment.backfill_lanes l
        where l.run_id = p_run_id
      );
    end if;
    v_free := assignment.take_free_seats(v_free, v_taken);
  end if;
  v_preview := assignment.ask_shard(
    'assignment.backfill_lanes',
    v_place,
    'preview_shard',
    to_jsonb(v_run),
    false,
    jsonb_strip_nulls(jsonb_build_object('free', v_free))
  );
  return v_preview || jsonb_build_object('place', v_place);
end;
$$;

create function assignment.record_shard(p_argument jsonb, out work text, out members integer, out is_done boolean)
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_preview jsonb := p_argument -> 'preview';
  v_lane assignment.backfill_lanes;
  v_result assignment.batch_result := jsonb_populate_record(null::assignment.batch_result, v_preview -> 'result');
begin
  members := 0;
  select * into v_lane
  from assignment.backfill_lanes l
  where l.run_id = (p_argument ->> 'runId')::uuid
    and l.place = (v_preview ->> 'place')::uuid
  for update;
  is_done := v_lane.done;
  if v_lane.done or v_lane.next_id <> (v_preview ->> 'from_id')::uuid then
    work := 'busy';
    return;
  end if;
  members := (v_preview ->> 'members')::integer;
  perform assignment.record_backfill_errors(v_lane.run_id, v_result.failures);
  perform assignment.record_batch(
    v_lane, (v_preview ->> 'next_id')::uuid, members, (v_preview ->> 'elapsed_ms')::double precision, v_result
  );
  is_done := v_preview ->> 'next_id' is null;
  work := 'batch';
end;
$$;

create or replace function assignment.record_preview(p_run_id uuid, p_preview jsonb, out work text, out members integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_run assignment.backfill_runs;
  v_place uuid := (p_preview ->> 'place')::uuid;
  v_argument jsonb := jsonb_build_object('runId', p_run_id, 'preview', p_preview);
  v_done jsonb;
begin
  members := 0;
  if p_preview is null then
    select f.work, f.members into record_preview.work, record_preview.members from assignment.finish_backfill(p_run_id) as f;
    return;
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('trainer assignment: steps of run ' || p_run_id, 0));
  select * into v_run from assignment.backfill_runs r where r.id = p_run_id;
  if v_run.status is distinct from 'running' then
    work := 'stopped';
    return;
  end if;
  if v_run.started_at is null or v_run.tries > 0 then
    perform assignment.note_backfill_progress(p_run_id);
  end if;
  v_done := assignment.ask_shard('assignment.backfill_lanes', v_place, 'record_shard', v_argument, true);
  if (v_done ->> 'is_done')::boolean then
    update assignment.backfill_places p set is_open = false where p.run_id = p_run_id and p.place = v_place;
  end if;
  work := v_done ->> 'work';
  members := (v_done ->> 'members')::integer;
end;
$$;
