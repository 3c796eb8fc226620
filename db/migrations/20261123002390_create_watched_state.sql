-- The current state of each watched table, and what to run where mirroring does not work. For /readyz and the admin page.
-- Locks: none. Reversible.

-- migrate:up
create view assignment.watched_state as
with watched as (
  select
    w.*,
    -- The name first: a dump and restore may change the numbers of columns.
    coalesce(
      (
        select a.attname
        from pg_catalog.pg_attribute a
        where a.attrelid = w.relid and a.attname = w.column_name and a.atttypid = 'uuid'::regtype and not a.attisdropped
      ),
      (
        select a.attname
        from pg_catalog.pg_attribute a
        where a.attrelid = w.relid and a.attnum = w.column_number and a.atttypid = 'uuid'::regtype and not a.attisdropped
      )
    ) as current_column,
    (
      select format('%I.%I', n.nspname, c.relname) as name
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.oid = w.relid
    ) as current_name,
    to_regclass(format('%I.%I', w.schema_name, w.table_name)) as namesake,
    array(
      select named.name
      from unnest(w.attributes) with ordinality as named (name, place)
      join pg_catalog.pg_attribute a on a.attrelid = w.relid and a.attname = named.name and not a.attisdropped
      where exists (
        select
        from pg_catalog.pg_attribute m
        where m.attrelid = to_regclass('public.members')
          and m.attname = 'attributes'
          and m.atttypid = 'jsonb'::regtype
          and not m.attisdropped
      )
      order by named.place
    ) as current_attributes,
    2 + (w.attributes <> '{}')::integer as wanted_triggers,
    (
      select count(*) filter (where t.tgenabled in ('O', 'A')) as triggers
      from pg_catalog.pg_trigger t
      where t.tgrelid = w.relid
        and t.tgfoid = to_regprocedure('assignment.tg_watched__mirror_members()')
        and t.tgparentid = 0
    ) as enabled_triggers,
    (
      select count(*) as triggers
      from pg_catalog.pg_trigger t
      where t.tgrelid = w.relid
        and t.tgfoid = to_regprocedure('assignment.tg_watched__mirror_members()')
        and t.tgparentid = 0
    ) as triggers
  from assignment.watched_tables w
),
states as (
  select
    relid,
    coalesce(current_name, format('%I.%I', schema_name, table_name)) as table_name,
    coalesce(current_column, column_name) as column_name,
    current_attributes as attributes,
    case
      when current_name is null and namesake is not null then 'rebuilt'
      when current_name is null then 'dropped'
      when current_column is null then 'column_missing'
      when triggers < wanted_triggers then 'trigger_missing'
      when enabled_triggers < wanted_triggers then 'trigger_disabled'
      when current_attributes <> attributes then 'attributes_missing'
      when problem is not null then 'not_readable'
      else 'watched'
    end as state,
    problem
  from watched
  union all
  -- A trigger whose row in watched_tables was lost or deleted mirrors nothing.
  select distinct
    t.tgrelid::regclass as relid,
    format('%I.%I', n.nspname, c.relname) as table_name,
    null::name as column_name,
    '{}'::name[] as attributes,
    'unrecorded' as state,
    null::text as problem
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where t.tgfoid = to_regprocedure('assignment.tg_watched__mirror_members()')
    and t.tgparentid = 0
    and not exists (select from assignment.watched_tables w where w.relid = t.tgrelid)
)
select
  relid,
  table_name,
  column_name,
  attributes,
  state,
  problem,
  case state
    when 'watched' then null
    when 'dropped' then format('select assignment.unwatch(%L)', table_name)
    when 'column_missing' then format('select assignment.watch(%L, ''…'') with the column of ids', table_name)
    when 'trigger_disabled' then format(
      'alter table %1$s %3$s; select assignment.watch(%1$L, %2$L)',
      table_name,
      column_name,
      (
        select string_agg(format('enable trigger %I', t.tgname), ', ' order by t.tgname)
        from pg_catalog.pg_trigger t
        where t.tgrelid = relid
          and t.tgfoid = to_regprocedure('assignment.tg_watched__mirror_members()')
      )
    )
    when 'attributes_missing' then format(
      'select assignment.watch(%L, %L, attributes => ''{…}'') with columns that exist; members must have a column attributes of type jsonb',
      table_name, column_name
    )
    when 'unrecorded' then format('select assignment.watch(%L, ''…'') with the column of ids', table_name)
    when 'not_readable' then format('select assignment.watch(%L, %L), which says why: %s', table_name, column_name, problem)
    else format('select assignment.watch(%L, %L)', table_name, column_name)
  end as remedy
from states;

comment on view assignment.watched_state is
  'The current state of each watched table.
state: watched (works); rebuilt or dropped (the table), column_missing, trigger_missing, trigger_disabled, unrecorded
(triggers without a row in watched_tables), attributes_missing (ids and other attributes are mirrored),
not_readable (by the last reconciliation).
remedy: what to run; null: nothing.
attributes: the columns that are mirrored into members.attributes now.';

-- migrate:down
drop view if exists assignment.watched_state;
