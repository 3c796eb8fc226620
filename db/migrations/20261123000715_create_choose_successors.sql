-- Decides who trains the clients of a trainer who is left: the trainer that the transfer names, or whom the policy chooses.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.choose_successors(
  p_request assignment.request,
  p_document jsonb,
  p_rules assignment.policy_rules[],
  p_member_ids uuid[],
  p_rows jsonb[],
  p_full uuid[] default '{}',
  p_taken assignment.trainer_count[] default '{}'
)
  returns setof assignment.choice
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language plpgsql
as $$
declare
  v_trainer_id uuid := p_request.trainer_id;
  v_group record;
  v_choices assignment.choice[];
  v_taken assignment.trainer_count[] := p_taken;
begin
  -- What was ended by hand is not made again; what a run ended may be.
  if v_trainer_id is not null then
    return query
    select
      k.id,
      case when answer.outcome = 'assign' then v_trainer_id end,
      null::smallint,
      answer.outcome
    from (
      select m.id, known.status, row_number() over (partition by known.status is null and m.id <> v_trainer_id order by m.place) as place
      from unnest(p_member_ids) with ordinality as m (id, place)
      left join lateral (
        select a.status
        from public.trainer_client_assignments a
        where a.client_id = m.id
          and a.trainer_id is not distinct from v_trainer_id  -- unlike =, keeps the planner from the index by trainer
          and (a.status = 'active' or coalesce(a.ended_because, 'direct') not in ('transfer', 'reassign'))
        order by a.status
        limit 1
      ) as known on true
    ) as k
    left join assignment.find_room(array[v_trainer_id], p_full, p_taken, cardinality(p_member_ids)) as r on true
    cross join lateral (
      select case
        when k.id = v_trainer_id then 'is_trainer'
        when k.status = 'active' then 'already_assigned'
        when k.status is not null then 'ended'
        when r.trainer_id is null or k.place > r.room then 'no_room'
        else 'assign'
      end as outcome
    ) as answer;
    return;
  end if;

  for v_group in
    select array_agg(m.id order by m.place) as ids, array_agg(m.member_row order by m.place) as rows, former.trainer_ids
    from unnest(p_member_ids, p_rows) with ordinality as m (id, member_row, place)
    cross join lateral (
      select coalesce(array_agg(distinct a.trainer_id), '{}') as trainer_ids
      from public.trainer_client_assignments a
      where a.client_id = m.id
        and a.status = 'inactive'
        and a.trainer_id is not null
        and coalesce(a.ended_because, 'direct') not in ('transfer', 'reassign')
    ) as former
    group by former.trainer_ids
  loop
    v_choices := array(
      select c
      from assignment.choose_trainers(
        p_document,
        p_rules,
        v_group.ids,
        v_group.rows,
        'transfer',
        p_full || p_request.from_trainer_id || v_group.trainer_ids,
        v_taken,
        p_request.from_trainer_id
      ) as c
    );
    return query  -- who is left, or was ended by hand, is not without room
    select c.member_id, c.trainer_id, c.rule, case
      when c.outcome <> 'no_room' or r.choose = 'field' then c.outcome
      when asked.trainer_ids = '{}' then 'excluded'
      when asked.trainer_ids <@ v_group.trainer_ids then 'ended'
      else c.outcome
    end
    from unnest(v_choices) as c
    left join unnest(p_rules) as r on r.rule = c.rule
    cross join lateral (
      select array_remove(
        case when c.rule is null then array[(p_document ->> 'defaultTrainerId')::uuid] else r.trainer_ids end,
        p_request.from_trainer_id
      ) as trainer_ids
    ) as asked;
    v_taken := assignment.add_taken(v_taken, array(select c.trainer_id from unnest(v_choices) as c where c.outcome = 'assign'));
  end loop;
end;
$$;

revoke execute on function assignment.choose_successors(
  assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[]
) from public;
comment on function assignment.choose_successors(
  assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[]
) is
  'One choice for each client, or one for each trainer where a rule chooses all, as choose_trainers returns them. The trainer
who is left is never chosen, and neither is one whose assignment to the client was ended by hand.
p_rows, p_document and p_rules are needed when the policy chooses. p_full, p_taken: as for choose_trainers.';

-- migrate:down
drop function if exists assignment.choose_successors(
  assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[]
);
