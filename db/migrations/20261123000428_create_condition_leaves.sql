-- The leaves of a condition, each with its JSON pointer below the condition.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.condition_leaves(p_condition jsonb, p_pointer text)
  returns table (leaf jsonb, pointer text)
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  with recursive nodes (node, pointer) as (
    select p_condition, p_pointer
    union all
    select child.node, n.pointer || child.step
    from nodes n
    cross join lateral (
      select value as node, format('/%s/%s', key, ordinality - 1) as step
      from (values ('all'), ('any')) as k (key)
      cross join jsonb_array_elements(n.node -> key) with ordinality
      where jsonb_typeof(n.node -> key) = 'array'
      union all
      select n.node -> 'not', '/not'
      where n.node ? 'not'
    ) as child
  )
  select node, pointer from nodes where node ? 'field'
$$;

revoke execute on function assignment.condition_leaves(jsonb, text) from public;
comment on function assignment.condition_leaves(jsonb, text) is
  'The leaves {field, op, value} of a condition, each with its JSON pointer. p_pointer: the pointer of the condition.';

-- migrate:down
drop function if exists assignment.condition_leaves(jsonb, text);
