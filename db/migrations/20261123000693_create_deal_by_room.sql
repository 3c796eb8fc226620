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
  set enable_seqscan = off  -- prevents a full scan on stale statistics
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
    cross join lateral generate_series(
      1, assignment.count_turns(t.trainer_id, t.room, cardinality(p_members))
    ) as turn (number)
    left join lateral (
      select a.id
      from public.trainer_client_assignments a
      where a.trainer_id = t.trainer_id
        and a.status = 'active'
      order by a.id desc
      limit 1
    ) as latest on true
  ),
  members as (  -- whoever is one of the trainers comes last, and gets another one of them
    select
      m.index,
      p_member_ids[m.index] as member_id,
      row_number() over (order by p_member_ids[m.index] = any (p_trainer_ids), m.index) as place,
      p_member_ids[m.index] = any (p_trainer_ids) as is_trainer
    from unnest(p_members) as m (index)
  )
  select m.index, p.trainer_id
  from members m
  join places p on p.place = m.place
  where not m.is_trainer
  union all
  select m.index, found.trainer_id
  from members m
  cross join lateral (
    select p.trainer_id
    from places p
    where p.place >= m.place
      and p.trainer_id <> m.member_id
    order by p.place
    limit 1
  ) as found
  where m.is_trainer
$$;

revoke execute on function assignment.deal_by_room(uuid[], integer[], uuid[], integer[]) from public;
comment on function assignment.deal_by_room(uuid[], integer[], uuid[], integer[]) is
  'Trainers for members, by their position in p_member_ids. p_rooms: the room of each trainer; null: no limit. A member who is
one of the trainers gets another one of them; two such members may get the same place, of which one then finds it taken.';

-- migrate:down
drop function if exists assignment.deal_by_room(uuid[], integer[], uuid[], integer[]);
