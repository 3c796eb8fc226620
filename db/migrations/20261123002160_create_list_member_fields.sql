-- Lists what a rule can ask of members, with frequent values to pick from.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.list_member_fields()
  returns table (field text, type text, kind text, value_kind text, frequent_values jsonb)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows
  set timezone = 'UTC'
  set datestyle = 'ISO'
  set jit = off
  language plpgsql
as $$
declare
  v_percent real;
begin
  select case when sum(t.members) <= 2000 then 100 else greatest(0.0001, 100 * 2000 / sum(t.members)) end
  into v_percent
  from assignment.member_tables() as t;

  return query
  with recursive columns as materialized (  -- once, not once a value: the view asks the catalog for each type's kind
    select c.name, c.type, c.kind, c.value_type, c.value_kind
    from assignment.member_columns c
  ),
  looked as materialized (
    select s.member_row from assignment.sample_members(v_percent) as s (member_row)
  ),
  found as (
    select c.name as field, c.name as column_name, e.value, 1 as level
    from looked l
    cross join lateral jsonb_each(l.member_row) as e
    join columns c on c.name = e.key
    union all
    select f.field || '.' || e.key, f.column_name, e.value, f.level + 1
    from found f
    join columns c on c.name = f.column_name and c.kind = 'json'
    cross join lateral jsonb_each(case jsonb_typeof(f.value) when 'object' then f.value else '{}' end) as e
    where f.level < 3
      and e.key not like '%.%'
  ),
  asked as (
    select c.name as field, c.name as column_name, 0 as place
    from columns c
    union all
    (
      select f.field, f.column_name, 1
      from found f
      where f.level > 1
        and jsonb_typeof(f.value) not in ('object', 'null')
      group by f.field, f.column_name
      order by count(*) desc, f.field
      limit 100
    )
  ),
  items as (
    select f.field, i.value
    from found f
    cross join lateral jsonb_array_elements(
      case jsonb_typeof(f.value) when 'array' then f.value else jsonb_build_array(f.value) end
    ) as i (value)
    where jsonb_typeof(i.value) in ('string', 'number', 'boolean')
      and length(i.value::text) <= 100
  ),
  ranked as materialized (  -- once for all fields
    select i.field, i.value, row_number() over (partition by i.field order by count(*) desc, i.value) as place
    from items i
    group by i.field, i.value
    having count(*) > 1  -- what only one member has, such as a password's hash, is nobody's business
  )
  select
    a.field,
    c.type,
    c.kind,
    case a.place when 0 then c.value_kind else 'json' end,
    coalesce(
      (
        select jsonb_agg(l.enumlabel order by l.enumsortorder)
        from pg_enum l
        where l.enumtypid = c.value_type
      ),
      (select jsonb_agg(r.value order by r.place) from ranked r where r.field = a.field and r.place <= 20),
      '[]'
    )
  from asked a
  join columns c on c.name = a.column_name
  order by a.column_name, a.place, a.field;
end;
$$;

revoke execute on function assignment.list_member_fields() from public;
comment on function assignment.list_member_fields() is
  'The columns of members and the fields inside json columns, three levels deep. frequent_values: the labels of an enum;
else up to 20 values that at least two of 2,000 members have, the most frequent first. It never reads the whole table.';

-- migrate:down
drop function if exists assignment.list_member_fields();
