-- Writes the statements that mirror rows of a watched table. assignment.mirror_missed runs them over the table itself, the
-- trigger of the table over the rows that changed.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.mirror_statements(
  p_source text,
  p_column name,
  p_attributes name[],
  out inserts text,
  out updates text
)
  immutable
  set search_path = pg_catalog, pg_temp
  set quote_all_identifiers = off
  language sql
as $$
  select
    format(
      'insert into public.members (id%3$s)
       select distinct on (w.%2$I) w.%2$I%4$s
       from %1$s w
       where w.%2$I is not null
         and not exists (select from public.members m where m.id = w.%2$I)
       order by w.%2$I
       on conflict do nothing',
      p_source, p_column, case when a.value is not null then ', attributes' end, ', ' || a.value
    ),
    case when a.value is not null then format(
      'update public.members m
       set attributes = %3$s || latest.attributes
       from (
         select distinct on (w.%2$I) w.%2$I as id, %4$s as attributes
         from %1$s w
         where w.%2$I is not null
         order by w.%2$I
       ) as latest
       where m.id = latest.id
         and m.attributes is distinct from %3$s || latest.attributes',
      p_source,
      p_column,
      'case jsonb_typeof(m.attributes) when ''object'' then m.attributes else ''{}'' end',  -- other keys stay
      a.value
    ) end
  from (
    select 'assignment.as_jsonb(json_build_object('
      || string_agg(format('%L, w.%I', named.name, named.name), ', ' order by named.place)
      || '))' as value
    from unnest(p_attributes) with ordinality as named (name, place)
  ) as a
$$;

revoke execute on function assignment.mirror_statements(text, name, name[]) from public;
comment on function assignment.mirror_statements(text, name, name[]) is
  'inserts: the statement that makes members of the rows of p_source which have none. updates: the statement that sets their
attributes where those differ; null without attributes.';

-- migrate:down
drop function if exists assignment.mirror_statements(text, name, name[]);
