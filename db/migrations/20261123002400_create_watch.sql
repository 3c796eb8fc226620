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
begin
  if tg_op = 'INSERT' then
    execute format(
      'insert into public.members (id) select %1$I from changed where %1$I is not null on conflict do nothing',
      tg_argv[0]
    );
  else
    execute format('delete from public.members where id in (select %I from changed)', tg_argv[0]);
  end if;
  return null;  -- ignored for an after trigger
exception when others or assert_failure then
  raise warning 'trainer assignment: rows of % are not mirrored into members: %', tg_relid::regclass, sqlerrm
    using hint = format('Later: select assignment.watch(%L, %L);', tg_relid::regclass, tg_argv[0]);
  return null;
end;
$$;

create function assignment.watch(p_table regclass, p_column name)
  returns bigint
  volatile
  security invoker
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- an error, where policies would hide rows, rather than passing them over
  set lock_timeout = '5s'
  language plpgsql
as $$
declare
  v_event text;
  v_mirrored bigint;
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
    continue when exists (
      select from pg_trigger where tgrelid = p_table and tgname = 'mirror_members_after_' || v_event
    );
    execute format(
      'create trigger mirror_members_after_%1$s after %1$s on %2$s referencing %3$s table as changed
       for each statement execute function assignment.tg_watched__mirror_members(%4$L)',
      v_event, p_table, case v_event when 'insert' then 'new' else 'old' end, p_column
    );
  end loop;

  execute format(
    'insert into public.members (id) select %1$I from %2$s where %1$I is not null order by %1$I on conflict do nothing',
    p_column, p_table
  );
  get diagnostics v_mirrored = row_count;
  return v_mirrored;
end;
$$;

revoke execute on function assignment.tg_watched__mirror_members() from public;
revoke execute on function assignment.watch(regclass, name) from public;
comment on function assignment.tg_watched__mirror_members() is
  'Mirrors the rows that one statement inserted or deleted. Never makes it fail: what goes wrong is a warning.';
comment on function assignment.watch(regclass, name) is
  'Mirrors a table''s uuid column into public.members, what is there now and from now on. Returns how many were new.
A second call mirrors what was missed. A deleted row takes its member and their own assignments along; a trainer with clients stays.';

-- migrate:down
set local lock_timeout = '5s';

drop function if exists assignment.watch(regclass, name);
-- With the function go the triggers.
drop function if exists assignment.tg_watched__mirror_members() cascade;
