-- Finds the members whom a rule's trainers train or trained already.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_met(
  p_rule assignment.policy_rules,
  p_member_ids uuid[],
  p_rows jsonb[],
  p_members integer[],
  p_purpose text,
  p_from_trainer_id uuid
)
  returns table (index integer, trainer_id uuid, is_active boolean)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  with wanted as (
    select i.index, t.trainer_id
    from unnest(p_members) as i (index)
    cross join unnest(p_rule.trainer_ids) as t (trainer_id)
    union all
    select n.index, n.trainer_id
    from assignment.find_named_trainers(p_rule, p_member_ids, p_rows, p_members) as n
    where p_rule.choose = 'field'
  )
  select w.index, w.trainer_id, bool_or(a.status = 'active')
  from wanted w
  join public.trainer_client_assignments a
    on a.client_id = p_member_ids[w.index]
    and a.trainer_id is not distinct from w.trainer_id  -- unlike =, keeps the planner from the index by trainer
    and case a.status
      when 'active' then w.trainer_id is distinct from p_from_trainer_id
      else p_purpose = 'fill'
        or (p_purpose = 'reassign' and not assignment.is_ended_by_policy(a.ended_run_id))
    end
  group by w.index, w.trainer_id
$$;

revoke execute on function assignment.find_met(assignment.policy_rules, uuid[], jsonb[], integer[], text, uuid) from public;
comment on function assignment.find_met(assignment.policy_rules, uuid[], jsonb[], integer[], text, uuid) is
  'Assignments of members to trainers of the rule, that count for the purpose. Members by their position in p_member_ids.
Active ones count, except those to p_from_trainer_id. Ended ones count when filling; when reassigning, unless a run by the
policy ended them; in a transfer, none.';

-- migrate:down
drop function if exists assignment.find_met(assignment.policy_rules, uuid[], jsonb[], integer[], text, uuid);
