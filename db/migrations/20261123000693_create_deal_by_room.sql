-- Deals members to the trainers with the most room.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.deal_by_room(
  p_member_ids uuid[],
  p_members integer[],
  p_trainer_ids uuid[],
  p_rooms integer[]
)
  returns table (index integer, trainer_id uuid)
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language sql
as $$
  -- One row for each place. The trainer with the largest share of free room comes first, then the longest idle.
  with places as (
    select t.trainer_id, row_number() over (
      order by
        case
          when known.capacity is null then 1
          else (t.room - turn.number + 1)::double precision / greatest(known.capacity, 1)
        end desc,
        turn.number,
        latest.id nulls first,
        t.trainer_id
    ) as place
    from unnest(p_trainer_ids, p_rooms) as t (trainer_id, room)
    left join assignment.trainers known on known.trainer_id = t.trainer_id
    cross join lateral generate_series(1, least(t.room, cardinality(p_members))) as turn (number)
    left join lateral (
      select a.id
      from public.trainer_client_assignments a
      where a.trainer_id = t.trainer_id
        and a.status = 'active'
      order by a.id desc
      limit 1
    ) as latest on true
  )
  select i.index, p.trainer_id
  from (
    select members.index, row_number() over (order by members.index) as place
    from unnest(p_members) as members (index)
    where p_member_ids[members.index] <> all (p_trainer_ids)
  ) as i
  join places p on p.place = i.place
$$;

revoke execute on function assignment.deal_by_room(uuid[], integer[], uuid[], integer[]) from public;
comment on function assignment.deal_by_room(uuid[], integer[], uuid[], integer[]) is
  'Trainers for members, by their position in p_member_ids. p_rooms: the room of each trainer; null: no limit. None of the
trainers gets another one of them.';

-- migrate:down
drop function if exists assignment.deal_by_room(uuid[], integer[], uuid[], integer[]);
