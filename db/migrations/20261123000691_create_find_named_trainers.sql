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
  set row_security = off
  set jit = off
  language sql
as $$
  select r.index::integer, m.id
  from unnest(p_rows) with ordinality as r (row, index)
  join unnest(p_members) as i (index) on i.index = r.index
  join public.members m on m.id = assignment.read_uuid(r.row #>> p_rule.field)
  where m.id <> p_member_ids[i.index]
$$;

revoke execute on function assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[]) from public;
comment on function assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[]) is
  'The trainer whom each member''s row names, by the member''s position in p_member_ids. Without members whose field is
empty or names nobody, or themselves.';

-- migrate:down
drop function if exists assignment.find_named_trainers(assignment.policy_rules, uuid[], jsonb[], integer[]);
