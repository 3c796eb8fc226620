-- Finds what keeps the owner of these functions from inserting members, before an event comes.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_member_hook_problems(p_filled name[])
  returns setof text
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_table regclass := to_regclass('public.members');
  v_columns text;
begin
  -- Columns that the hook fills, whether or not every event has a value for them.
  select string_agg(quote_ident(attname), ', ' order by attnum) into v_columns
  from pg_attribute
  where attrelid = v_table
    and attnum > 0
    and not attisdropped
    and (attname = 'id' or (attname = any (p_filled) and has_column_privilege(session_user, attrelid, attnum, 'select')))
    and not has_column_privilege(attrelid, attnum, 'insert');
  if v_columns is not null then
    return next format('the owner of the functions may not insert members: run as the owner of public.members: '
      'grant insert (%s) on public.members to %I', v_columns, current_user);
  end if;

  if row_security_active(v_table) and not exists (
    select
    from pg_policy p
    cross join unnest(p.polroles) as admitted (oid)
    where p.polrelid = v_table
      and p.polpermissive
      and p.polcmd in ('a', '*')
      and (admitted.oid = 0 or pg_has_role(admitted.oid, 'usage'))
  ) then
    return next format('row-level security refuses members of the hook: run as the owner of public.members: '
      'create policy member_hook on public.members for insert to %I with check (true)', current_user);
  end if;

  -- A trigger of the application may fill what the hook does not.
  if not exists (
    select
    from pg_trigger t
    join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = v_table
      and t.tgenabled <> 'D'
      and (t.tgtype & 7) = 7  -- for each row, before, insert
      and p.pronamespace <> 'assignment'::regnamespace
  ) then
    return query
    select format('the hook does not fill the column %I of members, which must have a value: give it a default', a.attname)
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    where a.attrelid = v_table
      and a.attnum > 0
      and not a.attisdropped
      and (a.attnotnull or t.typnotnull)
      and not a.atthasdef
      and a.attidentity = ''
      and t.typdefault is null
      and a.attname <> 'id'
      and (a.attname = any (p_filled) and has_column_privilege(session_user, a.attrelid, a.attnum, 'select')) is not true
    order by a.attnum;
  end if;
end;
$$;

revoke execute on function assignment.find_member_hook_problems(name[]) from public;
comment on function assignment.find_member_hook_problems(name[]) is
  'What an event of the member hook would fail at, whatever its member, and what to do. p_filled: the columns that the hook
fills. Empty: nothing.';

-- migrate:down
drop function if exists assignment.find_member_hook_problems(name[]);
