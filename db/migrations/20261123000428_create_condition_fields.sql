-- All fields that a condition asks.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.condition_fields(p_condition jsonb)
  returns setof text
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select distinct leaf #>> '{}'
  from jsonb_path_query(p_condition, 'strict $.**.field', silent => true) as leaf
  where jsonb_typeof(leaf) = 'string'
$$;

revoke execute on function assignment.condition_fields(jsonb) from public;

-- migrate:down
drop function if exists assignment.condition_fields(jsonb);
