-- Mirrors the ids of a watched table into public.members, whose trigger assigns a trainer. assignment.watch creates the
-- triggers. A view named members is no alternative: foreign keys cannot reference a view.
-- Locks: none up; the down takes access exclusive on the watched tables (given up after 5 s). Reversible: the down stops
-- all mirroring; mirrored members stay.

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
  -- On a partition this finds nothing: the trigger of the partitioned table mirrors its rows.
  select column_name into v_column from assignment.watched_state where relid = tg_relid;
  if v_column is null then
    return null;  -- ignored for an after trigger
  elsif tg_op = 'INSERT' then
    execute format(
      'insert into public.members (id)
       select distinct %1$I from changed where %1$I is not null order by 1
       on conflict do nothing',
      v_column
    );
  else
    execute format('delete from public.members where id in (select %I from changed)', v_column);
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: rows of % are not mirrored into members: %', tg_relid::regclass, sqlerrm
    using hint = format(
      'The scheduled reconciliation mirrors new rows. To mirror them now: select assignment.watch(%L, %L);',
      tg_relid::regclass, v_column
    );
  return null;
end;
$$;

revoke execute on function assignment.tg_watched__mirror_members() from public;
comment on function assignment.tg_watched__mirror_members() is
  'Inserts or deletes the members of the rows that one statement inserted or deleted.
An error becomes a warning: it never makes the statement fail.';

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops the triggers.
drop function if exists assignment.tg_watched__mirror_members() cascade;
