-- Parts a policy's field into a path of keys.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.field_path(p_field text)
  returns text[]
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select coalesce(
    (
      select array[c.name] || (string_to_array(substr(p_field, length(c.name) + 1), '.'))[2:]
      from assignment.member_columns c
      where c.name = p_field
        or starts_with(p_field, c.name || '.')
      order by length(c.name) desc
      limit 1
    ),
    string_to_array(p_field, '.')
  )
$$;

comment on function assignment.field_path(text) is
  'A policy''s field as a path of keys: the longest column name that it begins with, then what dots part.';
revoke execute on function assignment.field_path(text) from public;

-- migrate:down
drop function if exists assignment.field_path(text);
