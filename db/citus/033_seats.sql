-- Seats on shards are taken where the member is. A place without a free seat asks for one (TA023), and the coordinator brings it
-- from another place (034). So no node waits for another in a signup, and no trainer gets a client beyond the capacity.

create function assignment.find_place()
  returns uuid
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_shard record;
  v_place uuid := (select p.place from assignment.places p limit 1);
begin
  if v_place is null then  -- the shard was split off, and find_places has not been asked since
    select s.shardminvalue::integer as lowest, s.shardmaxvalue::integer as highest
    into v_shard
    from pg_dist_shard s
    where s.shardid = substring('assignment.places'::regclass::text from '_(\d+)$')::bigint;
    loop
      v_place := gen_random_uuid();
      exit when uuid_hash(v_place) between v_shard.lowest and v_shard.highest;
    end loop;
  end if;
  return v_place;
end;
$$;

comment on function assignment.find_place() is 'A uuid with a hash of this shard.';

alter function assignment.claim_seats(uuid[]) rename to claim_seats_here;

create function assignment.claim_seats(p_trainer_ids uuid[])
  returns integer[]
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_full uuid[];
  v_without integer[];
  v_lacking text;
begin
  if not exists (select from assignment.trainers t where t.trainer_id = any (p_trainer_ids) and t.capacity is not null) then
    return assignment.claim_seats_here(p_trainer_ids);
  end if;
  v_full := array(
    select f.trainer_id
    from assignment.full_trainers f
    where f.trainer_id = any (p_trainer_ids)
      and not assignment.is_room_known(f.trainer_id)
  );
  -- What belongs to a full trainer takes no part: no trainer has the id null.
  v_without := assignment.claim_seats_here(array(
    select case when asked.id <> all (v_full) then asked.id end
    from unnest(p_trainer_ids) with ordinality as asked (id, position)
    order by asked.position
  ));
  select string_agg(format('%s of trainer %s', w.seats, w.trainer_id), ', ' order by w.trainer_id)
  into v_lacking
  from (
    select p_trainer_ids[i] as trainer_id, count(*) as seats from unnest(v_without) as i group by p_trainer_ids[i]
  ) as w
  join assignment.trainers t on t.trainer_id = w.trainer_id
  where t.accepts_clients
    and not assignment.is_room_known(w.trainer_id);
  if v_lacking is not null then
    raise exception 'seats are still to be brought from other places: %', v_lacking using errcode = 'TA023';
  end if;
  return v_without || array(
    select asked.position::integer
    from unnest(p_trainer_ids) with ordinality as asked (id, position)
    where asked.id = any (v_full)
  );
end;
$$;

comment on function assignment.claim_seats(uuid[]) is
  'As claim_seats_here, and nothing of trainers who are full everywhere. Raises TA023 where other places may have seats.';

create function assignment.overbook_seats(p_trainer_ids uuid[], p_without integer[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  with added as (
    insert into assignment.seats (place, trainer_id, is_overbooked)
    select here.place, t.trainer_id, true
    from unnest(p_without) as without (position)
    join assignment.trainers t on t.trainer_id = p_trainer_ids[without.position]
    cross join (select assignment.find_place() as place) as here
    where t.capacity is not null
    returning place, trainer_id
  )
  insert into assignment.seat_changes (place, trainer_id, is_given_back)
  select distinct a.place, a.trainer_id, false
  from added a;
end;
$$;

comment on function assignment.overbook_seats(uuid[], integer[]) is 'Counts the clients at these positions as beyond the capacity.';

create or replace function assignment.take_seats(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.overbook_seats(p_trainer_ids, assignment.claim_seats(p_trainer_ids));
end;
$$;

create or replace function assignment.give_back_seats(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  with added as (
    insert into assignment.seats (place, trainer_id)
    select here.place, t.trainer_id
    from unnest(p_trainer_ids) as p (trainer_id)
    join assignment.trainers t on t.trainer_id = p.trainer_id
    cross join (select assignment.find_place() as place) as here
    where t.capacity is not null
    returning place, trainer_id
  )
  insert into assignment.seat_changes (place, trainer_id, is_given_back)
  select a.place, a.trainer_id, true
  from added a;
end;
$$;

comment on function assignment.give_back_seats(uuid[]) is
  'Gives back one seat for each item, and says so in seat_changes: reopen_trainers sets it off against clients beyond the
capacity, and gives it to who waits for it. Ignores trainers without a capacity.';

create function assignment.add_seats(p_seats jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.seats (place, trainer_id)
  select here.place, added.trainer_id::uuid
  from (select assignment.find_place() as place) as here
  cross join jsonb_each_text(p_seats) as added (trainer_id, seats)
  cross join generate_series(1, added.seats::integer);
end;
$$;

comment on function assignment.add_seats(jsonb) is 'Adds free seats to this place: {trainer: how many}.';

create function assignment.release_seats(p_argument jsonb)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_released integer;
begin
  delete from assignment.seats s
  where s.seat = any (array(  -- asked once: a join may ask for each row, and then finds others than those just deleted
    select f.seat
    from assignment.seats f
    where f.trainer_id = (p_argument ->> 'trainerId')::uuid
      and not f.is_overbooked
    order by f.seat
    limit (p_argument ->> 'seats')::integer
    for update skip locked
  ));
  get diagnostics v_released = row_count;
  return v_released;
end;
$$;

comment on function assignment.release_seats(jsonb) is
  'Takes up to so many free seats of a trainer out of this place, for another: how many. What a signup is just taking stays.';

create function assignment.count_seats(p_trainer_id jsonb)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_tries integer := 0;
begin
  -- A prepared transaction, which no process has, may have brought seats here that are not to be seen yet.
  while exists (
    select
    from pg_locks l
    join pg_database d on d.oid = l.database
    where l.relation = 'assignment.seats'::regclass
      and l.pid is null
      and d.datname = current_database()
  ) loop
    if v_tries = 40 then
      raise exception 'a prepared transaction on free seats has not ended' using errcode = '55P03';
    end if;
    perform pg_sleep(0.05);
    v_tries := v_tries + 1;
  end loop;
  return (  -- one statement: in its snapshot, every assignment is there together with its seat
    select sum(counted.seats)
    from (
      select count(*) as seats
      from public.trainer_client_assignments a
      where a.trainer_id = (p_trainer_id #>> '{}')::uuid
        and a.status = 'active'
      union all
      select case when s.is_overbooked then -1 else 1 end
      from assignment.seats s
      where s.trainer_id = (p_trainer_id #>> '{}')::uuid
    ) as counted
  );
end;
$$;

comment on function assignment.count_seats(jsonb) is
  'How many seats of a trainer this place has: those of active clients and free ones, without clients beyond the capacity.
Taking seats and giving them back leaves that as it is. Raises 55P03 while a prepared transaction is at work here for 2 s.';
