-- Counts what became of a batch of members that were assigned by the policy.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.count_choices(
  p_request assignment.request,
  p_choices assignment.choice[],
  p_rules assignment.policy_rules[],
  p_gone_ids uuid[] default '{}',
  p_failures assignment.member_failure[] default '{}'
)
  returns assignment.batch_result
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language sql
as $$
  with choices as materialized (
    select * from unnest(p_choices)
  ),
  failures as materialized (  -- a member fails once, whatever became of other pairs
    select distinct on (f.member_id) f.*
    from (
      select * from unnest(p_failures)
      union all
      select c.member_id, 'TA011', case
        when p_request.trainer_id is not null then format('trainer %s has no room', p_request.trainer_id)
        when c.rule is null then coalesce(
          (select 'no rule takes the member, and there is no default trainer' from assignment.settings where default_trainer_id is null),
          'the default trainer has no room'
        )
        else format('no trainer of rule %s (%s) has room', c.rule, r.name)
      end, coalesce(c.rule, 0::smallint)
      from choices c
      left join unnest(p_rules) as r on r.rule = c.rule
      where c.outcome = 'no_room'
      union all
      -- A transfer leaves nobody behind without saying so.
      select c.member_id, t.sqlstate, t.message, null::smallint
      from choices c
      join (
        values
          ('is_trainer', 'TA003', 'the member is the new trainer'),
          ('ended', 'TA015', 'the assignment to the new trainer was ended before, and is not made again'),
          ('excluded', 'TA016', 'the policy gives this member no other trainer')
      ) as t (outcome, sqlstate, message) on t.outcome = c.outcome
      where p_request.purpose = 'transfer'
    ) as f
    order by f.member_id
  ),
  members as (
    select
      c.member_id,
      case
        when c.member_id in (select unnest(p_gone_ids)) then 'gone'
        when bool_or(c.outcome = 'assigned') then 'assigned'
        when bool_or(c.outcome = 'assign') then 'already_assigned'  -- another session was faster
        else min(c.outcome)
      end as outcome
    from choices c
    where c.member_id not in (select f.member_id from failures f)
      and c.outcome <> 'kept'
    group by c.member_id
  )
  select row(
    count(*) filter (where m.outcome = 'assigned'),
    count(*) filter (where m.outcome = 'already_assigned'),
    count(*) filter (where m.outcome = 'ended'),
    count(*) filter (where m.outcome = 'is_trainer'),
    count(*) filter (where m.outcome = 'gone'),
    count(*) filter (where m.outcome = 'excluded'),
    0,  -- whom a transfer does not concern is not among the choices
    (select coalesce(array_agg(row(f.*)::assignment.member_failure), '{}') from failures f),
    (
      select coalesce(array_agg(row(g.rule, g.trainer_id, g.members)::assignment.choice_count), '{}')
      from (
        select coalesce(c.rule, 0) as rule, c.trainer_id, count(*) as members
        from choices c
        where c.outcome = 'assigned'
        group by c.rule, c.trainer_id
      ) as g
    )
  )::assignment.batch_result
  from members m
$$;

revoke execute on function
  assignment.count_choices(assignment.request, assignment.choice[], assignment.policy_rules[], uuid[], assignment.member_failure[])
  from public;
comment on function
  assignment.count_choices(assignment.request, assignment.choice[], assignment.policy_rules[], uuid[], assignment.member_failure[]) is
  'The counts of a batch. p_choices: as choose_trainers returned them, with outcome assigned for pairs that were inserted.
A member counts once: failed before gone before assigned.';

-- migrate:down
drop function if exists
  assignment.count_choices(assignment.request, assignment.choice[], assignment.policy_rules[], uuid[], assignment.member_failure[]);
