-- Mirrors the ids, and attributes, of a watched table into public.members, whose trigger assigns a trainer. assignment.watch creates the
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
  set timezone = 'UTC'
  set extra_float_digits = 1
  language plpgsql
as $$
declare
  v_watched assignment.watched_state;
  v_statements record;
  v_inserted bigint;
begin
  -- On a partition this finds nothing: the trigger of the partitioned table mirrors its rows.
  select * into v_watched from assignment.watched_state where relid = tg_relid and column_name is not null;
  if not found then
    return null;  -- ignored for an after trigger
  elsif tg_op = 'DELETE' then
    execute format('delete from public.members where id in (select %I from changed)', v_watched.column_name);
    return null;
  end if;
  v_statements := assignment.mirror_statements('changed', v_watched.column_name, v_watched.attributes);
  if tg_op = 'INSERT' then
    execute v_statements.inserts;
    get diagnostics v_inserted = row_count;
  end if;
  if v_statements.updates is not null and (tg_op = 'UPDATE' or v_inserted < (select count(*) from changed)) then
    execute v_statements.updates;
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: rows of % are not mirrored into members: %', tg_relid::regclass, sqlerrm
    using hint = format(
      'The scheduled reconciliation mirrors them. To mirror them now: select assignment.watch(%L, %L);',
      tg_relid::regclass, v_watched.column_name
    );
  return null;
end;
$$;

revoke execute on function assignment.tg_watched__mirror_members() from public;
comment on function assignment.tg_watched__mirror_members() is
  'Inserts or deletes the members of the rows that one statement inserted or deleted, and keeps their attributes.
An error becomes a warning: it never makes the statement fail.';

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops the triggers.
drop function if exists assignment.tg_watched__mirror_members() cascade;
