-- What the coordinator does for capacity between signups: it gives on what was given back, sets free seats off against clients
-- beyond the capacity, and makes seats match capacities.

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
  'Sets free seats of a trainer off against clients beyond the capacity, up to so many: how many. A seat that a signup is
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
    or not assignment.lock_free_seats(p_waits => false)
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

  -- First those of the other kind go. A seat that a signup is just taking is left alone.
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
