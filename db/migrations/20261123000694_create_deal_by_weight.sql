-- Deals members to trainers by weight.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.deal_by_weight(
  p_member_ids uuid[],
  p_members integer[],
  p_trainer_ids uuid[],
  p_weights integer[],
  p_rooms integer[]
)
  returns table (index integer, trainer_id uuid)
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
declare
  v_left integer[] := p_members;
  v_trainer_ids uuid[] := p_trainer_ids;
  v_weights integer[] := p_weights;
  v_rooms integer[] := p_rooms;
  v_dealt integer[];
  v_chosen integer[];
begin
  -- In rounds: everybody asks the trainer with the lowest score among those with room.
  while cardinality(v_left) > 0 and cardinality(v_trainer_ids) > 0 loop
    with asked as (
      select best.member, best.trainer, row_number() over (partition by best.trainer order by best.member) as place
      from (
        select i.index as member, preferred.trainer
        from unnest(v_left) as i (index)
        cross join lateral (
          select t.number as trainer
          from unnest(v_trainer_ids, v_weights) with ordinality as t (id, weight, number)
          where t.id <> p_member_ids[i.index]
          order by assignment.rendezvous_score(p_member_ids[i.index], t.id, t.weight), t.number
          limit 1
        ) as preferred
      ) as best
    ),
    answered as (
      select a.member, a.trainer, a.place <= v_rooms[a.trainer] or v_rooms[a.trainer] is null as has_room
      from asked a
    )
    select
      array_agg(a.member order by a.member) filter (where a.has_room),
      array_agg(a.trainer order by a.member) filter (where a.has_room),
      coalesce(array_agg(a.member order by a.member) filter (where not a.has_room), '{}')
    into v_dealt, v_chosen, v_left
    from answered a;
    return query select d.member, v_trainer_ids[d.trainer] from unnest(v_dealt, v_chosen) as d (member, trainer);

    -- Trainers without room left drop out.
    select
      array_agg(t.id order by t.number),
      array_agg(t.weight order by t.number),
      array_agg(t.room - t.dealt order by t.number)
    into v_trainer_ids, v_weights, v_rooms
    from (
      select u.id, u.weight, u.room, u.number, coalesce(dealt.members, 0)::integer as dealt
      from unnest(v_trainer_ids, v_weights, v_rooms) with ordinality as u (id, weight, room, number)
      left join (
        select chosen.trainer, count(*) as members from unnest(v_chosen) as chosen (trainer) group by chosen.trainer
      ) as dealt on dealt.trainer = u.number
    ) as t
    where t.room is null or t.room > t.dealt;
  end loop;
end;
$$;

revoke execute on function assignment.deal_by_weight(uuid[], integer[], uuid[], integer[], integer[]) from public;
comment on function assignment.deal_by_weight(uuid[], integer[], uuid[], integer[], integer[]) is
  'Trainers for members, by their position in p_member_ids: each trainer a share proportional to the weight, as long as
there is room. p_rooms: the room of each trainer; null: no limit.';

-- migrate:down
drop function if exists assignment.deal_by_weight(uuid[], integer[], uuid[], integer[], integer[]);
