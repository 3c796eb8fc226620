-- What the database alone can say of a policy: whether its fields, values and trainers exist.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_policy_problems(p_document jsonb)
  returns table (pointer text, detail text, is_warning boolean)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  language plpgsql
as $$
#variable_conflict use_column
begin
  perform assignment.require_visible_rows();
  return query
  with rules as (
    select r.rule, r.ordinality - 1 as index, r.rule -> 'assign' as assign, '/rules/' || r.ordinality - 1 as pointer
    from jsonb_array_elements(p_document -> 'rules') with ordinality as r (rule, ordinality)
  ),
  named as (
    select '/defaultTrainerId' as pointer, p_document ->> 'defaultTrainerId' as trainer_id
    union all
    select format('%s/assign/trainers/%s/trainerId', r.pointer, t.ordinality - 1), t.trainer ->> 'trainerId'
    from rules r
    cross join jsonb_array_elements(r.assign -> 'trainers') with ordinality as t (trainer, ordinality)
  ),
  takers as (  -- rules behind which nobody is left
    select r.index
    from rules r
    where not r.rule ? 'when'
      and (
        r.assign ->> 'choose' = 'nobody'
        or (r.assign ->> 'whenFull' = 'wait' and r.assign ->> 'choose' <> 'field')  -- the field may name nobody
        or (
          r.assign ->> 'choose' in ('all', 'spread', 'most_room')
          and exists (
            select
            from jsonb_array_elements(r.assign -> 'trainers') as t
            left join assignment.trainers a on a.trainer_id = (t ->> 'trainerId')::uuid
            where a.capacity is null
              and coalesce(a.accepts_clients, true)
          )
        )
      )
    order by r.index
    limit 1
  )
  select n.pointer, 'is not a member', false
  from named n
  where n.trainer_id is not null
    and n.trainer_id::uuid <> all (
      assignment.find_members(array(select k.trainer_id::uuid from named k where k.trainer_id is not null))
    )
  union all
  select l.pointer || p.step, p.detail, false
  from rules r
  cross join lateral assignment.condition_leaves(r.rule -> 'when', r.pointer || '/when') as l
  cross join lateral assignment.find_leaf_problem(l.leaf) as p
  where p.detail is not null
  union all
  select r.pointer || '/assign/field', p.detail, false
  from rules r
  cross join lateral assignment.find_leaf_problem(jsonb_build_object('field', r.assign ->> 'field', 'op', 'exists')) as p
  where r.assign ->> 'choose' = 'field'
    and p.detail is not null
  union all
  select r.pointer, format('never matches: rule %s takes every member before', t.index + 1), true
  from rules r
  join takers t on r.index > t.index
  union all
  select r.pointer, format('never matches: rule %s has the same condition', e.index + 1), true
  from rules r
  join rules e on e.index < r.index and e.rule -> 'when' = r.rule -> 'when'
  where e.assign ->> 'choose' = 'nobody';
end;
$$;

revoke execute on function assignment.find_policy_problems(jsonb) from public;
comment on function assignment.find_policy_problems(jsonb) is
  'What is amiss with a policy whose form is right: each with a JSON pointer into the document. Warnings do not keep it from being put.';

-- migrate:down
drop function if exists assignment.find_policy_problems(jsonb);
