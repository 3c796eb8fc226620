-- A run on shards. The run itself is on the coordinator; each step takes place on the node of its lane, with rows, counters
-- and cursor in one transaction there.

create function assignment.lay_out(p_run assignment.backfill_runs, p_upper_id uuid, p_total bigint)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_places uuid[];
begin
  update assignment.backfill_runs set total = p_total where id = p_run.id;
  if p_run.policy_version is not null then
    insert into assignment.runs_by_policy (run_id) values (p_run.id);
  end if;
  if p_total > 0 then
    insert into assignment.backfill_places (run_id, lane, place)
    select p_run.id, row_number() over (), place from assignment.find_places() as place;
    v_places := array(select p.place from assignment.backfill_places p where p.run_id = p_run.id order by p.lane);
    insert into assignment.backfill_lanes (run_id, lane, place, next_id, upper_id, includes_upper)
    select p_run.id, p.lane, p.place, '00000000-0000-0000-0000-000000000000', p_upper_id, true
    from unnest(v_places) with ordinality as p (place, lane);
  end if;
end;
$$;

create or replace function assignment.lay_out_backfill(p_run assignment.backfill_runs, p_in_one_lane boolean)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_upper_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_total bigint;
begin
  if p_run.only_failed then
    select count(*) into v_total from assignment.backfill_errors e where e.run_id = p_run.retry_of;
  else
    select m.id into v_upper_id from public.members m order by m.id desc limit 1;
    select count(*) into v_total from public.members m where m.id <= v_upper_id;
  end if;
  perform assignment.lay_out(p_run, v_upper_id, v_total);
end;
$$;

create or replace function assignment.lay_out_transfer(p_run assignment.backfill_runs)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_upper_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_total bigint;
begin
  if p_run.only_failed then
    select count(*) into v_total from assignment.backfill_errors e where e.run_id = p_run.retry_of;
  elsif p_run.only_selected then
    select count(*) into v_total from assignment.backfill_selected s where s.run_id = p_run.id;
  else
    select count(*), (max(a.id::text) collate "C")::uuid into v_total, v_upper_id
    from public.trainer_client_assignments a
    where a.trainer_id = p_run.from_trainer_id
      and a.status = 'active';
  end if;
  perform assignment.lay_out(p_run, v_upper_id, v_total);
end;
$$;
