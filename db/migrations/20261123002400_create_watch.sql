-- Starts to mirror members from a table with another name or schema.
-- Locks: none by the migration. The function takes share row exclusive on the watched table. Reversible.

-- migrate:up
create function assignment.watch(p_table regclass, p_column name)
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

  foreach v_event in array array['insert', 'delete'] loop
    select tgenabled, tgfoid = 'assignment.tg_watched__mirror_members()'::regprocedure as is_ours
    into v_trigger
    from pg_trigger
    where tgrelid = p_table
      and tgname = 'mirror_members_after_' || v_event;
    if not found then
      execute format(
        'create trigger mirror_members_after_%1$s after %1$s on %2$s referencing %3$s table as changed
         for each statement execute function assignment.tg_watched__mirror_members()',
        v_event, p_table, case v_event when 'insert' then 'new' else 'old' end
      );
    elsif v_trigger.tgenabled not in ('O', 'A') then
      execute format('alter table %s enable trigger mirror_members_after_%s', p_table, v_event);
    end if;
  end loop;

  -- Replaces an old record: of this table under another name, or of another table under this name.
  delete from assignment.watched_tables w
  using pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.oid = p_table
    and (w.relid = p_table or (w.schema_name = n.nspname and w.table_name = c.relname));
  insert into assignment.watched_tables (relid, schema_name, table_name, column_name, column_number)
  select p_table, n.nspname, c.relname, a.attname, a.attnum
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attname = p_column
  where c.oid = p_table;
  return assignment.mirror_missed(p_table, p_column);
end;
$$;

revoke execute on function assignment.watch(regclass, name) from public;
comment on function assignment.watch(regclass, name) is
  'Mirrors a uuid column of a table into public.members: its current rows, and every later insert and delete.
Returns the number of new members. A second call repairs the triggers and mirrors missed rows. Deleting a row deletes the
member and the member''s own assignments, except a trainer with clients.';

-- migrate:down
drop function if exists assignment.watch(regclass, name);
