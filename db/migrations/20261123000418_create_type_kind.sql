-- Sorts the types of PostgreSQL by what a policy can ask of their values.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.type_kind(p_type oid, out oid oid, out element oid, out kind text)
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  with recursive types as (
    select t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
    from pg_type t
    where t.oid = p_type
    union all
    select t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
    from types d
    join pg_type t on t.oid = d.typbasetype
    where d.typtype = 'd'
  )
  select
    t.oid,
    t.typelem,
    case
      when t.oid in ('json'::regtype, 'jsonb'::regtype) then 'json'
      when t.oid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) then t.typname::text
      when t.oid = 'bool'::regtype then 'boolean'
      when t.oid = 'uuid'::regtype then 'uuid'
      when t.oid in (
        'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype
      ) then 'number'
      when t.oid = 'bpchar'::regtype then 'char'
      when t.typname = 'citext' then 'citext'
      when t.typtype = 'e' then 'enum'
      when t.typcategory = 'S' then 'text'
      when t.typcategory = 'A' then 'array'
      else 'other'
    end
  from types t
  where t.typtype <> 'd'
$$;

revoke execute on function assignment.type_kind(oid) from public;
comment on function assignment.type_kind(oid) is
  'The kind of a type: text, char, citext, enum, uuid, number, boolean, date, timestamp, timestamptz, array, json or other.
A domain counts as the type beneath it, whose oid and element type are returned too.';

-- migrate:down
drop function if exists assignment.type_kind(oid);
