-- Why a leaf cannot be asked; null when it can.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_leaf_problem(p_leaf jsonb, out step text, out detail text)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_path text[] := assignment.field_path(p_leaf ->> 'field');
  v_op text := p_leaf ->> 'op';
  v_column assignment.member_columns;
  v_kind text;
  v_value_kind text;
  v_wanted text;
  v_values jsonb;
  v_value jsonb;
  v_text text;
begin
  select * into v_column from assignment.member_columns where name = v_path[1];
  step := '/field';
  if not found then
    detail := format('members has no column %s', v_path[1]);
    return;
  elsif cardinality(v_path) > 1 and v_column.kind <> 'json' then
    detail := format('the column %s is of type %s: only a json column has fields inside', v_path[1], v_column.type);
    return;
  end if;
  v_kind := case when cardinality(v_path) > 1 then 'json' else v_column.kind end;
  v_value_kind := case when cardinality(v_path) > 1 then 'json' else v_column.value_kind end;

  step := '/op';
  if v_op in ('exists', 'missing') then
    step := null;
    return;
  elsif v_kind = 'other'
    or v_value_kind = 'other'
    or (v_kind = 'array' and v_op <> 'contains')
    or (v_kind not in ('text', 'char', 'citext', 'array', 'json') and v_op = 'contains')
    or (v_kind not in ('text', 'char', 'citext', 'json') and v_op = 'starts_with')
    or (v_kind in ('boolean', 'enum', 'uuid') and v_op in ('lt', 'lte', 'gt', 'gte'))
  then
    detail := format('%s does not apply to the column %s of type %s', v_op, v_path[1], v_column.type);
    return;
  end if;

  step := '/value';
  v_wanted := case
    when v_value_kind in ('number', 'boolean') then v_value_kind
    when v_value_kind <> 'json' or v_op = 'starts_with' then 'string'
  end;
  v_values := case when v_op in ('in', 'not_in') then p_leaf -> 'value' else jsonb_build_array(p_leaf -> 'value') end;
  for v_value in select value from jsonb_array_elements(v_values) loop
    v_text := v_value #>> '{}';
    if jsonb_typeof(v_value) <> v_wanted then
      detail := case v_value_kind
        when 'json' then format('must be a %s with %s', v_wanted, v_op)
        else format('must be a %s: the column %s is of type %s', v_wanted, v_path[1], v_column.type)
      end;
    elsif v_value_kind = 'date' and not assignment.is_iso_time(v_text, false) then
      detail := 'must be a date such as 2026-11-28';
    elsif v_value_kind in ('timestamp', 'timestamptz') and not assignment.is_iso_time(v_text, true) then
      detail := 'must be a time such as 2026-11-28T09:30:00Z';
    elsif v_value_kind = 'uuid' and assignment.read_uuid(v_text) is null then
      detail := 'must be a UUID';
    elsif v_value_kind = 'enum'
      and not exists (select from pg_enum e where e.enumtypid = v_column.value_type and e.enumlabel = v_text)
    then
      detail := format('is not a value of the type %s', v_column.type);
    end if;
    if detail is not null then
      return;
    end if;
  end loop;
  step := null;
end;
$$;

revoke execute on function assignment.find_leaf_problem(jsonb) from public;
comment on function assignment.find_leaf_problem(jsonb) is
  'Why a leaf {field, op, value} cannot be asked of members: the part of the leaf, and what is wrong. Null: it can.';

-- migrate:down
drop function if exists assignment.find_leaf_problem(jsonb);
