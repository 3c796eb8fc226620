-- A rule's condition as one jsonpath predicate over a member's row. Values are quoted as JSON and names as JSON keys, so no
-- text of a policy becomes code.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.compile_condition(p_condition jsonb)
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_path text[];
  v_item text := '$';
  v_kind text;
  v_value_kind text;
  v_op text := p_condition ->> 'op';
  v_value jsonb := p_condition -> 'value';
  v_key text;
begin
  if p_condition ? 'all' then
    return (select '(' || string_agg(assignment.compile_condition(c), ' && ') || ')' from jsonb_array_elements(p_condition -> 'all') as c);
  elsif p_condition ? 'any' then
    return (select '(' || string_agg(assignment.compile_condition(c), ' || ') || ')' from jsonb_array_elements(p_condition -> 'any') as c);
  elsif p_condition ? 'not' then
    return '!(' || assignment.compile_condition(p_condition -> 'not') || ')';
  end if;

  v_path := assignment.field_path(p_condition ->> 'field');
  foreach v_key in array v_path loop
    v_item := v_item || '.' || to_json(v_key)::text;
  end loop;
  select
    case when cardinality(v_path) = 1 then kind else 'json' end,
    case when cardinality(v_path) = 1 then value_kind else 'json' end
  into v_kind, v_value_kind
  from assignment.member_columns
  where name = v_path[1];

  -- An absent field and a null one are the same, and match nothing but missing.
  case v_op
    when 'exists' then return format('(%s.type() != "null")', v_item);
    when 'missing' then return format('!(%s.type() != "null")', v_item);
    when 'ne' then
      return format('(%s.type() != "null" && !exists(%1$s ? (%s)))', v_item, assignment.compile_test('eq', v_kind, v_value));
    when 'in', 'not_in' then
      return (
        select format(
          case v_op when 'in' then 'exists(%s ? (%s))' else '(%s.type() != "null" && !exists(%1$s ? (%s)))' end,
          v_item,
          string_agg(assignment.compile_test('eq', v_kind, each), ' || ')
        )
        from jsonb_array_elements(v_value) as each
      );
    when 'contains' then
      if v_kind = 'array' then
        return format('exists(%s[*] ? (%s))', v_item, assignment.compile_test('eq', v_value_kind, v_value));
      elsif v_kind = 'json' then  -- an array that has the item, or a text that has the part
        return format(
          '((%s.type() == "array" && exists(%1$s[*] ? (%2$s))) || (%1$s.type() == "string" && exists(%1$s ? (%3$s))))',
          v_item,
          assignment.compile_test('eq', v_kind, v_value),
          case jsonb_typeof(v_value)
            when 'string' then assignment.compile_test('contains', v_kind, v_value)
            else '1 == 0'
          end
        );
      end if;
      return format('exists(%s ? (%s))', v_item, assignment.compile_test(v_op, v_kind, v_value));
    else
      return format('exists(%s ? (%s))', v_item, assignment.compile_test(v_op, v_kind, v_value));
  end case;
end;
$$;

revoke execute on function assignment.compile_condition(jsonb) from public;
comment on function assignment.compile_condition(jsonb) is
  'The text of a jsonpath predicate for a condition that find_policy_problems found nothing amiss with.';

-- migrate:down
drop function if exists assignment.compile_condition(jsonb);
