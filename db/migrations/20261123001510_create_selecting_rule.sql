-- A condition as a rule, so that what reads rules reads it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.selecting_rule(p_condition jsonb)
  returns jsonb
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select jsonb_build_object(
    'name', 'Selected',
    'when', p_condition,
    'assign', jsonb_build_object('choose', 'nobody')
  )
$$;

revoke execute on function assignment.selecting_rule(jsonb) from public;
comment on function assignment.selecting_rule(jsonb) is 'A rule that matches whom the condition matches.';

-- migrate:down
drop function if exists assignment.selecting_rule(jsonb);
