-- Starts to mirror members from a table with another name or schema.
-- Locks: none by the migration. The function takes share row exclusive on the watched table. Reversible.

-- migrate:up
create function assignment.watch(p_table regclass, p_column name, attributes name[] default null)
  returns bigint
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_event text;
  v_trigger record;
  v_former name[];
  v_attributes name[];
  v_missing name;
begin
  if p_table = 'public.members'::regclass then
    raise exception 'public.members already has the trigger' using errcode = '22023';
  elsif not exists (
    select
    from pg_attribute
    where attrelid = p_table
      and attname = p_column
      and atttypid = 'uuid'::regtype
      and not attisdropped
  ) then
    raise exception '% has no column % of type uuid', p_table, quote_ident(p_column) using errcode = '22023';
  end if;

  -- An old record: of this table under another name, or of another table under this name.
  with former as (
    delete from assignment.watched_tables w
    using pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_table
      and (w.relid = p_table or (w.schema_name = n.nspname and w.table_name = c.relname))
    returning w.relid, w.attributes
  )
  select f.attributes into v_former from former f order by f.relid = p_table desc limit 1;
  v_attributes := coalesce(watch.attributes, v_former, '{}');

  select named.name into v_missing
  from unnest(v_attributes) as named (name)
  where not exists (
    select from pg_attribute a where a.attrelid = p_table and a.attname = named.name and a.attnum > 0 and not a.attisdropped
  )
  limit 1;
  if found then
    raise exception '% has no column %', p_table, quote_ident(v_missing) using errcode = '22023';
  elsif cardinality(v_attributes) > 50 then
    raise exception 'at most 50 attributes can be mirrored' using errcode = '22023';
  elsif v_attributes <> '{}' and not exists (
    select
    from pg_attribute a
    where a.attrelid = 'public.members'::regclass
      and a.attname = 'attributes'
      and a.atttypid = 'jsonb'::regtype
      and not a.attisdropped
  ) then
    raise exception 'public.members has no column attributes of type jsonb'
      using errcode = '22023', hint = 'Run: alter table public.members add column attributes jsonb;';
  end if;

  foreach v_event in array array['insert', 'delete', 'update'] loop
    select tgenabled
    into v_trigger
    from pg_trigger
    where tgrelid = p_table
      and tgname = 'mirror_members_after_' || v_event;
    if v_event = 'update' and v_attributes = '{}' then
      if found then
        execute format('drop trigger mirror_members_after_update on %s', p_table);
      end if;
    elsif not found then
      execute format(
        'create trigger mirror_members_after_%1$s after %1$s on %2$s referencing %3$s table as changed
         for each statement execute function assignment.tg_watched__mirror_members()',
        v_event, p_table, case v_event when 'delete' then 'old' else 'new' end
      );
    elsif v_trigger.tgenabled not in ('O', 'A') then
      execute format('alter table %s enable trigger mirror_members_after_%s', p_table, v_event);
    end if;
  end loop;

  insert into assignment.watched_tables (relid, schema_name, table_name, column_name, column_number, attributes)
  select p_table, n.nspname, c.relname, a.attname, a.attnum, v_attributes
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = p_column
  where c.oid = p_table;

  if not v_former <@ v_attributes then  -- a rule must not go on asking what is no longer kept
    execute format(
      'update public.members m
       set attributes = m.attributes - $1
       where m.attributes ?| $1
         and m.id in (select w.%I from %s w)',
      p_column, p_table
    ) using array(select unnest(v_former) except select unnest(v_attributes))::text[];
  end if;
  return assignment.mirror_missed(p_table, p_column, v_attributes);
end;
$$;

revoke execute on function assignment.watch(regclass, name, name[]) from public;
comment on function assignment.watch(regclass, name, name[]) is
  'Mirrors a uuid column of a table into public.members: its current rows, and every later insert and delete.
attributes: columns to mirror into the keys of members.attributes, updates included; null: as before, at first none.
Returns the number of new members. A second call repairs the triggers and mirrors missed rows. Deleting a row deletes the
member and the member''s own assignments, except a trainer with clients.';

-- migrate:down
drop function if exists assignment.watch(regclass, name, name[]);
