-- The columns of members, with what a policy can ask of each.
-- Locks: none. Reversible.

-- migrate:up
create view assignment.member_columns as
with recursive base_types as (
  select t.oid, t.oid as base_oid from pg_type t where t.typtype <> 'd'
  union all
  select d.oid, b.base_oid from base_types b join pg_type d on d.typbasetype = b.oid and d.typtype = 'd'
)
select
  a.attname::text as name,
  format_type(a.atttypid, a.atttypmod) as type,
  case
    when t.typname in ('json', 'jsonb') then 'json'
    when t.typname in ('date', 'timestamp', 'timestamptz') then t.typname::text
    when t.typname = 'citext' then 'citext'
    when t.typname = 'money' then 'other'
    when t.typcategory = 'B' then 'boolean'
    when t.typcategory = 'N' then 'number'
    when t.typcategory = 'S' then 'text'
    when t.typcategory = 'E' then 'enum'
    when t.typcategory = 'A' then 'array'
    when t.typname = 'uuid' then 'uuid'
    else 'other'
  end as kind
from pg_attribute a
join base_types b on b.oid = a.atttypid
join pg_type t on t.oid = b.base_oid
where a.attrelid = to_regclass('public.members')
  and a.attnum > 0
  and not a.attisdropped;

comment on view assignment.member_columns is
  'Columns of members by kind: text, citext, enum, uuid, number, boolean, date, timestamp, timestamptz, array, json or other.';

-- migrate:down
drop view if exists assignment.member_columns;
