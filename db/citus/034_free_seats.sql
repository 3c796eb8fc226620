-- What the coordinator does for capacity: it brings free seats to where they are asked for, notices who is full everywhere,
-- and makes seats match capacities. One session at a time does this.

create function assignment.lock_free_seats()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('trainer assignment: free seats of all places', 0));
end;
$$;

create function assignment.release_at(p_place uuid, p_trainer_id uuid, p_seats integer)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_argument jsonb := jsonb_build_object('trainerId', p_trainer_id, 'seats', p_seats);
  v_released integer;
begin
  perform assignment.begin_change(p_place);
  select (assignment.on_shard(s.tableoid, 'release_seats', v_argument) #>> '{}')::integer into v_released
  from assignment.seats s
  where s.place = p_place
  limit 1;
  return coalesce(v_released, 0);  -- null: the place has no row any more
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
        greatest(v_from.seats::integer / 2, v_asked.seats - v_brought)  -- half of them, so that not each sign-up has to ask
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

create function assignment.set_off_seats(p_trainer_id uuid, p_seats integer)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_place uuid;
  v_set_off integer := 0;
  v_overbooked uuid[];
begin
  for v_place in
    select s.place from assignment.seats s where s.trainer_id = p_trainer_id and not s.is_overbooked group by s.place
  loop
    exit when v_set_off >= p_seats;
    v_set_off := v_set_off + assignment.release_at(v_place, p_trainer_id, p_seats - v_set_off);
  end loop;
  v_overbooked := array(
    select s.seat from assignment.seats s where s.trainer_id = p_trainer_id and s.is_overbooked order by s.seat limit v_set_off
  );
  delete from assignment.seats s where s.trainer_id = p_trainer_id and s.seat = any (v_overbooked);
  return v_set_off;
end;
$$;

comment on function assignment.set_off_seats(uuid, integer) is
  'Sets free seats of a trainer off against clients beyond the capacity, up to so many: how many. A seat that a sign-up is
just taking is left alone: with it there is one client more.';

create function assignment.reopen_trainers()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_full uuid[] := array(select f.trainer_id from assignment.full_trainers f);
  v_changes uuid[];
  v_given_back uuid[];
  v_changed uuid[];
  v_trainer record;
begin
  if not exists (select from assignment.trainers t where t.capacity is not null) then
    return;
  end if;
  select
    array_agg(c.id),
    array_agg(c.trainer_id) filter (where c.is_given_back),
    array_agg(distinct c.trainer_id)
  into v_changes, v_given_back, v_changed
  from (select c.id, c.trainer_id, c.is_given_back from assignment.seat_changes c order by c.id limit 10000) as c;
  if (v_full = '{}' and v_changes is null)
    or not pg_try_advisory_xact_lock(hashtextextended('trainer assignment: free seats of all places', 0))
  then
    return;
  end if;

  for v_trainer in
    select
      s.trainer_id,
      s.trainer_id = any (v_full) as is_full,
      (count(*) filter (where s.is_overbooked))::integer as overbooked,
      (count(*) filter (where not s.is_overbooked))::integer as free
    from assignment.seats s
    where s.trainer_id = any (v_full || v_changed)
    group by s.trainer_id
    order by s.trainer_id
  loop
    if v_trainer.overbooked > 0 and v_trainer.free > 0 then
      perform assignment.set_off_seats(v_trainer.trainer_id, least(v_trainer.overbooked, v_trainer.free));
    end if;
    if v_trainer.free > v_trainer.overbooked then
      if v_trainer.is_full then
        delete from assignment.full_trainers f where f.trainer_id = v_trainer.trainer_id;
        perform assignment.make_waiting_due(
          array_fill(v_trainer.trainer_id, array[v_trainer.free - v_trainer.overbooked])
        );
      end if;
    elsif v_trainer.overbooked > 0 then
      insert into assignment.full_trainers (trainer_id) values (v_trainer.trainer_id) on conflict (trainer_id) do nothing;
    end if;
  end loop;

  if v_changes is not null then
    delete from assignment.seat_changes c where c.id = any (v_changes);
    v_full := array(select f.trainer_id from assignment.full_trainers f);
    v_given_back := array(select trainer_id from unnest(v_given_back) as trainer_id where trainer_id <> all (v_full));
    if v_given_back <> '{}' then
      perform assignment.make_waiting_due(v_given_back);
    end if;
  end if;
end;
$$;

comment on function assignment.reopen_trainers() is
  'Has trainers who were full take clients again, where seats were given back, and makes due who waits for such a seat. Trainers
with clients beyond the capacity are full. The service asks for it with each look for failures that are due.';

create or replace function assignment.settle_seats(p_trainer_id uuid)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_capacity integer;
  v_argument jsonb := to_jsonb(p_trainer_id);
  v_places uuid[];
  v_counted integer;
  v_missing integer;
  v_left integer;
  v_gone uuid[];
  v_place uuid;
begin
  if current_setting('transaction_isolation') <> 'read committed' then  -- the nodes' snapshots may be of different times
    raise exception 'seats are counted in read committed transactions only' using errcode = '25000';
  end if;
  perform assignment.lock_free_seats();
  -- Whoever had the lock may have changed it.
  v_capacity := (select t.capacity from assignment.trainers t where t.trainer_id = p_trainer_id);
  perform assignment.begin_change(null);
  if v_capacity is null then
    delete from assignment.seats s where s.trainer_id = p_trainer_id;
    delete from assignment.full_trainers f where f.trainer_id = p_trainer_id;
    return 0;
  end if;
  v_places := array(select place from assignment.find_places() as place order by random());
  -- Only here and in bring_seats does it change how many seats a place has.
  select sum((counted.seats #>> '{}')::integer) into v_counted
  from (
    select assignment.on_shard(p.tableoid, 'count_seats', v_argument) as seats
    from assignment.places p
    where p.place = any (v_places)
  ) as counted;
  v_missing := v_capacity - v_counted;
  v_left := abs(v_missing);

  -- First those of the other kind go. A seat that a sign-up is just taking is left alone.
  if v_missing > 0 then
    v_gone := array(
      select s.seat from assignment.seats s where s.trainer_id = p_trainer_id and s.is_overbooked order by s.seat limit v_left
    );
    delete from assignment.seats s where s.trainer_id = p_trainer_id and s.seat = any (v_gone);
    v_left := v_left - cardinality(v_gone);
  elsif v_missing < 0 then
    for v_place in
      select s.place from assignment.seats s where s.trainer_id = p_trainer_id and not s.is_overbooked group by s.place
    loop
      v_left := v_left - assignment.release_at(v_place, p_trainer_id, v_left);
    end loop;
  end if;
  insert into assignment.seats (place, trainer_id, is_overbooked)
  select v_places[1 + number % cardinality(v_places)], p_trainer_id, v_missing < 0
  from generate_series(1, v_left) as number;

  if (assignment.count_free_seats() ->> p_trainer_id::text)::integer > 0 then
    delete from assignment.full_trainers f where f.trainer_id = p_trainer_id;
  else
    insert into assignment.full_trainers (trainer_id) values (p_trainer_id) on conflict (trainer_id) do nothing;
    perform assignment.reopen_trainers();
  end if;
  return v_missing;
end;
$$;

create or replace function assignment.make_waiting_due(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_default smallint := 32767;  -- the default trainer comes after all rules
  v_rules smallint[];
  v_named smallint[];
  v_ids uuid[];
begin
  select
    coalesce(array_agg(given.rule) filter (where not given.is_named), '{}'),
    coalesce(array_agg(given.rule) filter (where given.is_named), '{}')
  into v_rules, v_named
  from (
    select r.rule, r.choose = 'field' as is_named
    from assignment.policy_rules r
    join assignment.settings s on s.policy_version = r.version
    where r.trainer_ids && p_trainer_ids
      or r.choose = 'field'
    union all
    select v_default, false
    from assignment.settings s
    where s.default_trainer_id = any (p_trainer_ids)
  ) as given;
  v_ids := array(  -- who waits for one of these trainers: one for each seat
    select f.member_id
    from assignment.failures f
    where f.sqlstate = 'TA011'
      and (
        f.requested_trainer_id = any (p_trainer_ids)
        or f.requested_trainer_id is null and coalesce(nullif(f.rule, 0), v_default) = any (v_rules)
      )
    order by f.first_failed_at, f.member_id
    limit cardinality(p_trainer_ids)
  );
  v_ids := v_ids || array(  -- who may have named one of them, or may match an earlier rule
    select f.member_id
    from assignment.failures f
    where f.sqlstate = 'TA011'
      and f.requested_trainer_id is null
      and (
        coalesce(nullif(f.rule, 0), v_default) > (select min(rule) from unnest(v_rules || v_named) as rule)
        or f.rule = any (v_named)
      )
    order by f.first_failed_at, f.member_id
    limit 100
  );
  update assignment.failures f set next_attempt_at = now() where f.member_id = any (v_ids);
end;
$$;

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
