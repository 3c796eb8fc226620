-- One test of one item, which jsonpath calls @.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.compile_test(p_op text, p_kind text, p_value jsonb)
  returns text
  immutable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  language sql
as $$
  select case
    when p_op = 'starts_with' then '@ starts with ' || v.literal
    when p_op = 'contains' then '@ like_regex ' || v.literal || ' flag "q"'
    else v.item || v.comparison || v.literal || v.suffix
  end
  from (
    select
      case p_kind
        when 'date' then to_jsonb((p_value #>> '{}')::date)::text
        when 'timestamp' then to_jsonb((p_value #>> '{}')::timestamp)::text
        when 'timestamptz' then to_jsonb((p_value #>> '{}')::timestamptz)::text
        when 'citext' then lower(p_value::text)
        else p_value::text
      end as literal,
      case when p_kind in ('date', 'timestamp', 'timestamptz') then '@.datetime()' else '@' end as item,
      case when p_kind in ('date', 'timestamp', 'timestamptz') then '.datetime()' else '' end as suffix,
      case p_op when 'lt' then ' < ' when 'lte' then ' <= ' when 'gt' then ' > ' when 'gte' then ' >= ' else ' == ' end as comparison
  ) as v
$$;

revoke execute on function assignment.compile_test(text, text, jsonb) from public;
comment on function assignment.compile_test(text, text, jsonb) is 'A test of the jsonpath item @ against a value, for a column of that kind.';

-- migrate:down
drop function if exists assignment.compile_test(text, text, jsonb);
