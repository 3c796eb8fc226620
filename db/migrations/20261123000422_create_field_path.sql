-- A rule's condition as one jsonpath predicate over a member's row. Values are quoted as JSON, names as JSON keys, so that
-- Locks: none. Reversible.

-- migrate:up
create function assignment.field_path(p_field text)
  returns text[]
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select case
    when exists (select from assignment.member_columns where name = p_field) then array[p_field]
    else string_to_array(p_field, '.')
  end
$$;

comment on function assignment.field_path(text) is
  'A policy''s field as a path of keys: the column of that very name, else what its dots part.';
revoke execute on function assignment.field_path(text) from public;

-- migrate:down
drop function if exists assignment.field_path(text);
