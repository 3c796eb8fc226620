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
    when p_kind in ('date', 'timestamp', 'timestamptz') then format(
      '@.datetime() %s %s.datetime()%s',
      v.comparison,
      v.literal,
      case  -- jsonpath reads no infinite time
        when p_op in ('gt', 'gte') then ' || @ == "infinity"'
        when p_op in ('lt', 'lte') then ' || @ == "-infinity"'
      end
    )
    else format('@ %s %s', v.comparison, v.literal)
  end
  from (
    select
      case p_kind  -- as to_jsonb writes a value of the column
        when 'date' then to_jsonb((p_value #>> '{}')::date)::text
        when 'timestamp' then to_jsonb((p_value #>> '{}')::timestamptz at time zone 'UTC')::text
        when 'timestamptz' then to_jsonb((p_value #>> '{}')::timestamptz)::text
        when 'uuid' then to_jsonb((p_value #>> '{}')::uuid)::text
        when 'citext' then lower(p_value::text)
        else p_value::text
      end as literal,
      case p_op when 'lt' then '<' when 'lte' then '<=' when 'gt' then '>' when 'gte' then '>=' else '==' end as comparison
  ) as v
$$;

revoke execute on function assignment.compile_test(text, text, jsonb) from public;
comment on function assignment.compile_test(text, text, jsonb) is
  'A test of the jsonpath item @ against a value, for values of that kind. like_regex is the only operator that finds a part
of a text; its flag q makes it compare characters, not patterns.';

-- migrate:down
drop function if exists assignment.compile_test(text, text, jsonb);
