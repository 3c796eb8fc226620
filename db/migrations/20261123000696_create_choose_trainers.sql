-- Decides who trains whom: the only place that does. The trigger, runs, retries, the preview and the decision of one member
-- call it. It writes nothing and reads no stored version, so a draft in a READ ONLY transaction gives the same decisions.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.choose_trainers(
  p_document jsonb,
  p_rules assignment.policy_rules[],
  p_member_ids uuid[],
  p_rows jsonb[],
  p_purpose text default 'fill',
  p_full uuid[] default '{}',
  p_taken assignment.trainer_count[] default '{}',
  p_from_trainer_id uuid default null
)
  returns setof assignment.choice
  stable
  set search_path = pg_catalog, pg_temp
  set work_mem = '32MB'
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_default_id uuid := p_document ->> 'defaultTrainerId';
  v_keeps_met boolean := p_purpose <> 'first';
  v_pending integer[] := array(select generate_subscripts(p_member_ids, 1));
  v_rule assignment.policy_rules;
  v_match record;
  v_here integer[];
  v_met_members integer[];
  v_met_trainers uuid[];
  v_met_active boolean[];
  v_dealt_members integer[];
  v_dealt_trainers uuid[];
  v_decided integer[];
  v_taken assignment.trainer_count[] := p_taken;
begin
  if v_keeps_met and (p_document ->> 'respectsOtherTrainers')::boolean then
    v_decided := array(
      select i
      from unnest(v_pending) as i
      where exists (
        select
        from public.trainer_client_assignments a
        where a.client_id = p_member_ids[i]
          and a.status = 'active'
          and a.trainer_id is distinct from p_from_trainer_id
          and (p_purpose <> 'reassign' or a.policy_version is null)  -- what the policy chose, it may choose anew
      )
    );
    return query select p_member_ids[i], null::uuid, null::smallint, 'already_assigned' from unnest(v_decided) as i;
    v_pending := array(select unnest(v_pending) except select unnest(v_decided) order by 1);
  end if;

  for v_match in
    select r as rule, m.matched
    from assignment.match_rules(p_rules, p_rows) m
    join unnest(p_rules) as r on r.rule = m.rule
    order by m.rule
  loop
    v_rule := v_match.rule;
    v_here := array(select unnest(v_match.matched) intersect select unnest(v_pending) order by 1);
    continue when v_here = '{}';

    if v_rule.choose = 'nobody' then
      return query select p_member_ids[i], null::uuid, v_rule.rule, 'excluded' from unnest(v_here) as i;
      v_pending := array(select unnest(v_pending) except select unnest(v_here) order by 1);
      continue;
    end if;

    v_met_members := '{}';
    v_met_trainers := '{}';
    v_met_active := '{}';
    if v_keeps_met then
      select coalesce(array_agg(index), '{}'), coalesce(array_agg(trainer_id), '{}'), coalesce(array_agg(is_active), '{}')
      into v_met_members, v_met_trainers, v_met_active
      from assignment.find_met(v_rule, p_member_ids, p_rows, v_here, p_purpose, p_from_trainer_id);
    end if;

    select coalesce(array_agg(d.index), '{}'), coalesce(array_agg(d.trainer_id), '{}')
    into v_dealt_members, v_dealt_trainers
    from assignment.deal_out(
      v_rule, p_member_ids, p_rows, v_here, v_met_members, v_met_trainers, p_full, v_taken
    ) as d;
    return query
    select p_member_ids[d.index], d.trainer_id, v_rule.rule, 'assign'
    from unnest(v_dealt_members, v_dealt_trainers) as d (index, trainer_id);
    return query
    select
      p_member_ids[met.index],
      null::uuid,
      v_rule.rule,
      case when bool_or(met.is_active) then 'already_assigned' else 'ended' end
    from unnest(v_met_members, v_met_active) as met (index, is_active)
    where met.index not in (select unnest(v_dealt_members))
    group by met.index;
    if p_purpose = 'reassign' then
      return query
      select p_member_ids[met.index], met.trainer_id, v_rule.rule, 'kept'
      from unnest(v_met_members, v_met_trainers, v_met_active) as met (index, trainer_id, is_active)
      where met.is_active;
    end if;
    v_decided := v_dealt_members || v_met_members;
    v_taken := assignment.add_taken(v_taken, v_dealt_trainers);

    if v_rule.when_full = 'wait' then
      v_here := array(select unnest(v_here) except select unnest(v_decided));
      v_here := case v_rule.choose
        when 'field' then array(
          select n.index from assignment.find_named_trainers(v_rule, p_member_ids, p_rows, v_here) as n
        )
        else array(  -- nobody waits for themselves
          select i from unnest(v_here) as i where array_remove(v_rule.trainer_ids, p_member_ids[i]) <> '{}'
        )
      end;
      return query select p_member_ids[i], null::uuid, v_rule.rule, 'no_room' from unnest(v_here) as i;
      v_decided := v_decided || v_here;
    end if;
    v_pending := array(select unnest(v_pending) except select unnest(v_decided) order by 1);
  end loop;

  return query
  select p_member_ids[i.index], answer.trainer_id, null::smallint, answer.outcome
  from (
    select
      pending.index,
      known.status,
      row_number() over (partition by known.status is null and p_member_ids[pending.index] <> v_default_id order by pending.index) as place
    from unnest(v_pending) as pending (index)
    left join lateral (
      select a.status
      from public.trainer_client_assignments a
      where v_keeps_met
        and a.client_id = p_member_ids[pending.index]
        and a.trainer_id is not distinct from v_default_id
        and case a.status
          when 'active' then v_default_id is distinct from p_from_trainer_id
          else p_purpose = 'fill'
            or (p_purpose = 'reassign' and not assignment.is_ended_by_policy(a.ended_run_id))
        end
      order by a.status
      limit 1
    ) as known on true
  ) as i
  left join assignment.find_room(array[v_default_id], p_full, v_taken, cardinality(v_pending)) as r on true
  cross join lateral (
    select case
      when p_member_ids[i.index] = v_default_id then 'is_trainer'
      when i.status = 'active' then 'already_assigned'
      when i.status is not null then 'ended'
      when r.trainer_id is null or i.place > r.room then 'no_room'
      else 'assign'
    end as outcome
  ) as decided
  cross join lateral (
    select decided.outcome, case decided.outcome when 'assign' then v_default_id end as trainer_id
    union all
    select 'kept', v_default_id where p_purpose = 'reassign' and decided.outcome = 'already_assigned'
  ) as answer;
end;
$$;

revoke execute on function
  assignment.choose_trainers(jsonb, assignment.policy_rules[], uuid[], jsonb[], text, uuid[], assignment.trainer_count[], uuid)
  from public;
comment on function
  assignment.choose_trainers(jsonb, assignment.policy_rules[], uuid[], jsonb[], text, uuid[], assignment.trainer_count[], uuid) is
  'What a policy, given as its document and compiled rules, says of members, given with their rows: one choice for each
member, or one for each trainer where a rule chooses all.
p_purpose: as in a request. A member who has a trainer of a rule keeps to that, and where it counts for the purpose (see
find_met) also one who had. p_from_trainer_id: assignments to this trainer do not count.
p_full: trainers not to choose. p_taken: seats to count as taken; null: as if nobody had a capacity.';

-- migrate:down
drop function if exists
  assignment.choose_trainers(jsonb, assignment.policy_rules[], uuid[], jsonb[], text, uuid[], assignment.trainer_count[], uuid);
