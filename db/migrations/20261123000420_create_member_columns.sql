-- The columns of members, with what a policy can ask of each.
-- Locks: none. Reversible.

-- migrate:up
create view assignment.member_columns as
select
  a.attname::text as name,
  format_type(a.atttypid, a.atttypmod) as type,
  own.kind,
  coalesce(element.kind, own.kind) as value_kind,
  coalesce(element.oid, own.oid) as value_type
from pg_attribute a
cross join lateral assignment.type_kind(a.atttypid) as own
left join lateral assignment.type_kind(case own.kind when 'array' then own.element end) as element on own.kind = 'array'
where a.attrelid = to_regclass('public.members')
  and a.attnum > 0
  and not a.attisdropped;

comment on view assignment.member_columns is
  'Columns of members by kind: text, char, citext, enum, uuid, number, boolean, date, timestamp, timestamptz, array, json or
other. value_kind, value_type: of an array, the kind and type of its elements; else those of the column itself. A domain
counts as the type beneath it.';

-- migrate:down
drop view if exists assignment.member_columns;
