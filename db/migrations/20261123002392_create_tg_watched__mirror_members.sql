-- Mirrors the ids of a watched table into public.members, whose trigger assigns a trainer.
-- A view named members would not do: no foreign key can reference a view. assignment.watch creates the triggers.
-- Locks: none up; the down takes access exclusive on the watched tables (given up after 5 s). Reversible: stops all
-- mirroring; mirrored members stay.

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

revoke execute on function assignment.tg_watched__mirror_members() from public;
comment on function assignment.tg_watched__mirror_members() is
  'Mirrors the rows that one statement inserted or deleted. Never makes it fail: what goes wrong is a warning.';

-- migrate:down
set local lock_timeout = '5s';

-- With the function go the triggers.
drop function if exists assignment.tg_watched__mirror_members() cascade;
