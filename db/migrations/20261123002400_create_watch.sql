-- Members who live in a table of another name or schema: their ids are mirrored into public.members, whose trigger assigns.
-- A view would not do, for no foreign key can point at one.
-- Locks: none (calling assignment.watch takes share row exclusive on the watched table). Reversible: stops all watching;
-- mirrored members stay.

-- migrate:up
create function assignment.tg_watched__mirror_members()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_column name;
begin
  -- A partition's rows come by the trigger of the whole.
  select column_name into v_column from assignment.watched_state where relid = tg_relid;
  if v_column is null then
    return null;  -- ignored for an after trigger
  elsif tg_op = 'INSERT' then
    execute format(
      'insert into public.members (id) select distinct %1$I from changed where %1$I is not null order by 1 on conflict do nothing', v_column
    );
  else
    execute format('delete from public.members where id in (select %I from changed)', v_column);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: rows of % are not mirrored into members: %', tg_relid::regclass, sqlerrm
    using hint = format('The scheduled reconciliation mirrors new ones; now: select assignment.watch(%L, %L);', tg_relid::regclass, v_column);
  return null;
end;
$$;

-- The rows of a watched table that have no member yet.
create function assignment.mirror_missed(p_table regclass, p_column name)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- an error, where policies would hide rows, rather than passing them over
  language plpgsql
as $$
declare
  v_mirrored bigint;
begin
  execute format(
    'insert into public.members (id)
     select distinct w.%1$I
     from %2$s w
     where w.%1$I is not null
       and not exists (select from public.members m where m.id = w.%1$I)
     order by 1
     on conflict do nothing',
    p_column, p_table
  );
  get diagnostics v_mirrored = row_count;
  return v_mirrored;
end;
$$;

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
    raise exception 'public.members has the trigger already' using errcode = '22023';
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

  -- What was recorded of this table under another name, or of another table under this name, is the past.
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

create function assignment.unwatch(p_table text)
  returns void
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_relid oid;
  v_trigger record;
begin
  delete from assignment.watched_tables
  where relid = to_regclass(p_table)
    or format('%I.%I', schema_name, table_name) = p_table
  returning relid into v_relid;
  v_relid := coalesce(v_relid, to_regclass(p_table));
  if not found
    and not exists (
      select from pg_trigger where tgrelid = v_relid and tgfoid = 'assignment.tg_watched__mirror_members()'::regprocedure
    )
  then
    raise exception '% is not watched', p_table using errcode = '22023';
  end if;
  for v_trigger in
    select tgname
    from pg_trigger
    where tgrelid = v_relid
      and tgfoid = 'assignment.tg_watched__mirror_members()'::regprocedure
      and tgparentid = 0
  loop
    begin
      execute format('drop trigger %I on %s', v_trigger.tgname, v_relid::regclass);
    exception when insufficient_privilege then
      raise notice 'the trigger % of % mirrors nobody from now on, and is left to the owner of that table to drop', v_trigger.tgname, v_relid::regclass;
    end;
  end loop;
end;
$$;

-- Whom the triggers have missed, of all watched tables; never raises, for a run must not depend on it.
create function assignment.mirror_all_missed()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_watched assignment.watched_state;
begin
  for v_watched in
    select * from assignment.watched_state where state not in ('dropped', 'rebuilt', 'column_missing', 'unrecorded') order by table_name
  loop
    begin
      perform assignment.mirror_missed(v_watched.relid, v_watched.column_name);
      update assignment.watched_tables set mirrored_at = now(), problem = null where relid = v_watched.relid;
    exception when others or assert_failure then
      raise warning 'trainer assignment: rows of % could not be looked through: %', v_watched.table_name, sqlerrm;
      update assignment.watched_tables set problem = left(sqlerrm, 500) where relid = v_watched.relid;
    end;
  end loop;
exception when others or assert_failure then
  raise warning 'trainer assignment: watched tables could not be looked through: %', sqlerrm;
end;
$$;

revoke execute on function assignment.tg_watched__mirror_members() from public;
revoke execute on function assignment.mirror_missed(regclass, name) from public;
revoke execute on function assignment.watch(regclass, name) from public;
revoke execute on function assignment.unwatch(text) from public;
revoke execute on function assignment.mirror_all_missed() from public;
comment on function assignment.tg_watched__mirror_members() is
  'Mirrors the rows that one statement inserted or deleted. Never makes it fail: what goes wrong is a warning.';
comment on function assignment.watch(regclass, name) is
  'Mirrors a table''s uuid column into public.members, what is there now and from now on. Returns how many were new.
A second call mends what was changed meanwhile, and mirrors what was missed. A deleted row takes its member and their own
assignments along; a trainer with clients stays.';
comment on function assignment.unwatch(text) is
  'Stops mirroring a table, also one that was dropped; mirrored members stay.';
comment on function assignment.mirror_all_missed() is
  'Mirrors who was missed in every watched table, and keeps with each whether that worked.';

-- migrate:down
set local lock_timeout = '5s';

drop function if exists assignment.mirror_all_missed();
drop function if exists assignment.unwatch(text);
drop function if exists assignment.watch(regclass, name);
drop function if exists assignment.mirror_missed(regclass, name);
-- With the function go the triggers.
drop function if exists assignment.tg_watched__mirror_members() cascade;
