-- Stops mirroring a table.
-- Locks: none by the migration. The function takes access exclusive on the watched table. Reversible.

-- migrate:up
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
      raise notice 'the trigger % of % mirrors nothing from now on; only the owner of that table can drop it',
        v_trigger.tgname, v_relid::regclass;
    end;
  end loop;
end;
$$;

revoke execute on function assignment.unwatch(text) from public;
comment on function assignment.unwatch(text) is
  'Stops mirroring a table, even one that was dropped. Mirrored members stay.';

-- migrate:down
drop function if exists assignment.unwatch(text);
