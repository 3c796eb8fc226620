-- Deals the members whom a rule takes to its trainers, at most as many to each as there is room.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.deal_out(
  p_rule assignment.policy_rules,
  p_member_ids uuid[],
  p_rows jsonb[],
  p_members integer[],
  p_met_members integer[],
  p_met_trainers uuid[],
  p_full uuid[],
  p_taken assignment.trainer_count[]
)
  returns table (index integer, trainer_id uuid)
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
declare
  v_left integer[] := case p_rule.choose
    when 'all' then p_members
    else array(select unnest(p_members) except select unnest(p_met_members) order by 1)
  end;
  v_trainer_ids uuid[];
  v_weights integer[];
  v_rooms integer[];
begin
  if p_rule.choose = 'field' then
    return query
    with named as materialized (
      select * from assignment.find_named_trainers(p_rule, p_member_ids, p_rows, v_left)
    ),
    known as (
      select r.*
      from (select coalesce(array_agg(distinct n.trainer_id), '{}') as ids from named n) as asked
      cross join lateral assignment.find_room(asked.ids, p_full, p_taken, cardinality(v_left)) as r
    )
    select ranked.index, ranked.trainer_id
    from (
      select n.index, n.trainer_id, k.room, row_number() over (partition by n.trainer_id order by n.index) as place
      from named n
      join known k on k.trainer_id = n.trainer_id
    ) as ranked
    where ranked.place <= ranked.room or ranked.room is null;
    return;
  end if;

  select array_agg(t.id order by t.id), array_agg(t.weight order by t.id), array_agg(r.room order by t.id)
  into v_trainer_ids, v_weights, v_rooms
  from unnest(p_rule.trainer_ids, p_rule.weights) as t (id, weight)
  join unnest(assignment.find_members(p_rule.trainer_ids)) as m (id) on m.id = t.id
  join assignment.find_room(
    p_rule.trainer_ids,
    p_full,
    p_taken,
    case p_rule.choose when 'most_room' then null else cardinality(p_members) end
  ) as r on r.trainer_id = t.id;

  case p_rule.choose
    when 'all' then
      return query
      select ranked.index, ranked.trainer_id
      from (
        select i.index, t.trainer_id, t.room, row_number() over (partition by t.trainer_id order by i.index) as place
        from unnest(v_left) as i (index)
        cross join unnest(v_trainer_ids, v_rooms) as t (trainer_id, room)
        where t.trainer_id <> p_member_ids[i.index]
          and (i.index, t.trainer_id) not in (
            select met.index, met.trainer_id from unnest(p_met_members, p_met_trainers) as met (index, trainer_id)
          )
      ) as ranked
      where ranked.place <= ranked.room or ranked.room is null;
    when 'most_room' then
      return query select * from assignment.deal_by_room(p_member_ids, v_left, v_trainer_ids, v_rooms);
    when 'spread' then
      return query select * from assignment.deal_by_weight(p_member_ids, v_left, v_trainer_ids, v_weights, v_rooms);
  end case;
end;
$$;

revoke execute on function assignment.deal_out(
  assignment.policy_rules, uuid[], jsonb[], integer[], integer[], uuid[], uuid[], assignment.trainer_count[]
) from public;
comment on function assignment.deal_out(
  assignment.policy_rules, uuid[], jsonb[], integer[], integer[], uuid[], uuid[], assignment.trainer_count[]
) is
  'The trainers that a rule gives to members, by their position in p_member_ids. p_members: the positions of the members
whom the rule takes; p_met_members, p_met_trainers: assignments that they have or had. Whoever is neither in the result nor
in p_met_members found no room.';

-- migrate:down
drop function if exists assignment.deal_out(
  assignment.policy_rules, uuid[], jsonb[], integer[], integer[], uuid[], uuid[], assignment.trainer_count[]
);
