-- What the coordinator does for a signup or a step: it brings free seats to where they are asked for, and notices who is full
-- everywhere. One session at a time is at the seats of all places.

create function assignment.lock_free_seats(p_waits boolean default true)
  returns boolean
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_key bigint := hashtextextended('trainer assignment: free seats of all places', 0);
begin
  if not p_waits then
    return pg_try_advisory_xact_lock(v_key);
  end if;
  perform pg_advisory_xact_lock(v_key);
  return true;
end;
$$;

create function assignment.release_at(p_place uuid, p_trainer_id uuid, p_seats integer)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return coalesce(
    (
      assignment.ask_shard(
        'assignment.seats',
        p_place,
        'release_seats',
        jsonb_build_object('trainerId', p_trainer_id, 'seats', p_seats),
        true
      ) #>> '{}'
    )::integer,
    0  -- the place has no row any more
  );
end;
$$;

comment on function assignment.release_at(uuid, uuid, integer) is 'As release_seats, in the place of p_place.';

create function assignment.bring_seats(p_id uuid, p_lacking text, p_told jsonb)
  returns jsonb
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shard bigint := get_shard_id_for_distribution_column('assignment.seats'::regclass, p_id);
  v_told jsonb := jsonb_build_object('brought', '{}'::jsonb, 'exhausted', '[]'::jsonb) || p_told;
  v_asked record;
  v_from record;
  v_brought integer;
begin
  if p_lacking !~ ' of trainer ' then
    return p_told;
  end if;
  perform assignment.lock_free_seats();
  for v_asked in
    select asked[2] as trainer_id, asked[1]::integer as seats
    from regexp_matches(p_lacking, '(\d+) of trainer ([0-9a-f-]{36})', 'g') as asked
    order by asked[2]
  loop
    v_brought := 0;
    for v_from in
      select s.place, count(*) as seats
      from assignment.seats s
      where s.trainer_id = v_asked.trainer_id::uuid
        and not s.is_overbooked
      group by s.place
      order by count(*) desc
    loop
      exit when v_brought >= v_asked.seats;
      continue when get_shard_id_for_distribution_column('assignment.seats'::regclass, v_from.place) = v_shard;
      v_brought := v_brought + assignment.release_at(
        v_from.place,
        v_asked.trainer_id::uuid,
        greatest(v_from.seats::integer / 2, v_asked.seats - v_brought)  -- half of them, so that not each signup has to ask
      );
    end loop;

    if v_brought < v_asked.seats then
      insert into assignment.full_trainers (trainer_id) values (v_asked.trainer_id::uuid) on conflict (trainer_id) do nothing;
      v_told := jsonb_set(v_told, '{exhausted}', (v_told -> 'exhausted') || to_jsonb(v_asked.trainer_id));
    end if;
    v_told := jsonb_set(
      v_told,
      array['brought', v_asked.trainer_id],
      to_jsonb(coalesce((v_told -> 'brought' ->> v_asked.trainer_id)::integer, 0) + v_brought)
    );
  end loop;
  return v_told;
end;
$$;

comment on function assignment.bring_seats(uuid, text, jsonb) is
  'Takes the seats that a shard lacks out of other places, as the message of TA023 names them, for the place of p_id. Returns
p_told with them, for call_shard.';

create function assignment.count_free_seats()
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_limited uuid[] := array(select t.trainer_id from assignment.trainers t where t.capacity is not null);
  v_free jsonb;
begin
  if v_limited = '{}' then
    return null;
  end if;
  select coalesce(jsonb_object_agg(s.trainer_id, s.free), '{}') into v_free
  from (
    select f.trainer_id, case when bool_or(f.is_overbooked) then 0 else count(*) end as free
    from assignment.seats f
    where f.trainer_id = any (v_limited)
    group by f.trainer_id
  ) as s;
  return v_free;
end;
$$;

comment on function assignment.count_free_seats() is
  'The free seats of all places, for each trainer who has any. Null where no trainer has a capacity.';

create function assignment.take_free_seats(p_free jsonb, p_taken assignment.trainer_count[])
  returns jsonb
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select p_free || coalesce(jsonb_object_agg(t.trainer_id, greatest(0, (p_free ->> t.trainer_id::text)::integer - t.seats)), '{}')
  from (
    select taken.trainer_id, sum(taken.members) as seats from unnest(p_taken) as taken group by taken.trainer_id
  ) as t
  where p_free ? t.trainer_id::text
$$;

comment on function assignment.take_free_seats(jsonb, assignment.trainer_count[]) is
  'What is left of count_free_seats when so many are taken. Null remains null.';
