-- Capacity on shards: free seats lie in the places of members. Who is to be chosen is decided as if there were a free seat
-- here, unless it is known that there is none anywhere.

create function assignment.is_room_known(p_trainer_id uuid)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_told jsonb := nullif(current_setting('assignment.told', true), '');
begin
  return coalesce(v_told -> 'exhausted' ? p_trainer_id::text, false) or coalesce(v_told ? 'free', false);
end;
$$;

comment on function assignment.is_room_known(uuid) is
  'Whether no other place has a free seat of the trainer, or the coordinator has counted those of all (see call_shard).';

create or replace function assignment.find_room(
  p_trainer_ids uuid[],
  p_full uuid[],
  p_taken assignment.trainer_count[],
  p_most integer
)
  returns table (trainer_id uuid, capacity integer, room integer)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
  language plpgsql
as $$
declare
  v_free jsonb := nullif(current_setting('assignment.told', true), '')::jsonb -> 'free';
begin
  return query
  select asked.id, t.capacity, case
    when t.capacity is null or p_taken is null then null
    when assignment.is_room_known(asked.id) then greatest(0, least(p_most, seats.free - coalesce(taken.members, 0)))
    when exists (select from assignment.full_trainers f where f.trainer_id = asked.id) then 0
    -- Other places may have more. The trainer with the most room is told by what is here.
    when p_most is null then seats.free - coalesce(taken.members, 0)
  end
  from unnest(p_trainer_ids) as asked (id)
  left join assignment.trainers t on t.trainer_id = asked.id
  left join unnest(p_taken) as taken on taken.trainer_id = asked.id
  left join lateral (
    select case
      when v_free is null then (
        select count(*)::integer
        from assignment.seats s
        where s.trainer_id = asked.id
          and not s.is_overbooked
          and not exists (select from assignment.seats o where o.trainer_id = asked.id and o.is_overbooked)
      )
      else coalesce((v_free ->> asked.id::text)::integer, 0)
    end as free
    where t.capacity is not null
  ) as seats on true
  where coalesce(t.accepts_clients, true)
    and asked.id <> all (p_full);
end;
$$;

-- The trainers with the most room here come first. Whoever has none left here may have some elsewhere, and comes last.
create or replace function assignment.count_turns(p_trainer_id uuid, p_room integer, p_members integer)
  returns integer
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if p_room = 0 and exists (select from assignment.full_trainers f where f.trainer_id = p_trainer_id) then
    return 0;
  elsif assignment.is_room_known(p_trainer_id) then
    return least(p_room, p_members);
  end if;
  return p_members;
end;
$$;
