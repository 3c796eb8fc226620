-- Finds the trainers whom members' own rows name, for rules that choose a field.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_named_trainers(
  p_rule assignment.policy_rules,
  p_member_ids uuid[],
  p_rows jsonb[],
  p_members integer[]
)
  returns table (index integer, trainer_id uuid)
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language sql
as $$
  with named as materialized (
    select r.index::integer, assignment.read_uuid(r.row #>> p_rule.field) as trainer_id
    from unnest(p_rows) with ordinality as r (row, index)
    join unnest(p_members) as i (index) on i.index = r.index
  )
  select n.index, n.trainer_id
  from named n
  where n.trainer_id <> p_member_ids[n.index]
    and n.trainer_id in (
      select unnest(assignment.find_members(array(select distinct d.trainer_id from named d where d.trainer_id is not null)))
    )
$$;

revoke execute on function assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[]) from public;
comment on function assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[]) is
  'The trainer whom each member''s row names, by the member''s position in p_member_ids. Without members whose field is
empty or names nobody, or themselves.';

-- migrate:down
drop function if exists assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[]);
