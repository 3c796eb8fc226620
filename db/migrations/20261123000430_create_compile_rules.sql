-- The rules of a document, compiled; not stored, so that a draft can be previewed where nothing may be written.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.compile_rules(p_document jsonb, p_version integer)
  returns setof assignment.policy_rules
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select
    p_version,
    r.ordinality::smallint,
    r.body ->> 'name',
    case when r.body ? 'when' then assignment.compile_condition(r.body -> 'when')::jsonpath end,
    asked.paths,
    array(
      select case c.kind when 'array' then c.value_kind || '[]' else c.kind end
      from unnest(asked.paths) with ordinality as a (path, place)
      left join assignment.member_columns c on c.name = (a.path::text[])[1]
      order by a.place
    ),
    r.body #>> '{assign,choose}',
    assignment.field_path(r.body #>> '{assign,field}'),
    array(
      select (t.trainer ->> 'trainerId')::uuid
      from jsonb_array_elements(r.body #> '{assign,trainers}') with ordinality as t (trainer, place)
      order by t.place
    ),
    array(
      select coalesce((t.trainer ->> 'weight')::integer, 1)
      from jsonb_array_elements(r.body #> '{assign,trainers}') with ordinality as t (trainer, place)
      order by t.place
    ),
    coalesce(r.body #>> '{assign,whenFull}', 'next')
  from jsonb_array_elements(p_document -> 'rules') with ordinality as r (body, ordinality)
  cross join lateral (
    select array(
      select distinct assignment.field_path(f.name)::text
      from (
        select l.leaf ->> 'field' as name
        from assignment.condition_leaves(r.body -> 'when', '') as l
        union all
        select r.body #>> '{assign,field}'
      ) as f
      where f.name is not null
      order by 1
    ) as paths
  ) as asked
$$;

revoke execute on function assignment.compile_rules(jsonb, integer) from public;
comment on function assignment.compile_rules(jsonb, integer) is
  'The rules of a document in which find_policy_problems found no error, compiled for choose_trainers.';

-- migrate:down
drop function if exists assignment.compile_rules(jsonb, integer);
