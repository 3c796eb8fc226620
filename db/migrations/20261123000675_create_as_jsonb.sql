-- Turns a member's row into jsonb whatever the application put into columns of type json, such as \u0000, which jsonb cannot
-- hold. Otherwise one such row would make a whole batch fail.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.as_jsonb(p_row json)
  returns jsonb
  immutable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return p_row::jsonb;
exception when data_exception then
  return regexp_replace(
    p_row::text, '(?<!\\)((?:\\\\)*)\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\1\\ufffd', 'g'
  )::jsonb;
end;
$$;

revoke execute on function assignment.as_jsonb(json) from public;
comment on function assignment.as_jsonb(json) is
  'A row as jsonb. Where it has characters that jsonb cannot hold, those become U+FFFD.';

-- migrate:down
drop function if exists assignment.as_jsonb(json);
