-- Enables the triggers that announce what somebody wants to hear of, and disables the others.
-- Locks: none by the migration. The function takes share row exclusive on trainer_client_assignments and failures for
-- milliseconds, when the wishes change. Reversible.

-- migrate:up
create function assignment.set_announcing()
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_trigger record;
begin
  for v_trigger in
    select t.tgrelid::regclass as table_name, t.tgname as name, wanted.is_wanted
    from pg_trigger t
    join (
      values
        ('trainer_client_assignments_announce_after_insert', array['assignments.created']),
        ('trainer_client_assignments_announce_after_update', array['assignments.created', 'assignments.ended']),
        ('failures_announce_after_insert', array['assignment.failed'])
    ) as known (name, types) on known.name = t.tgname
    cross join lateral (
      select exists (select from unnest(known.types) as type where assignment.is_wanted(type)) as is_wanted
    ) as wanted
    where t.tgrelid in (to_regclass('public.trainer_client_assignments'), to_regclass('assignment.failures'))
      and (t.tgenabled = 'O') <> wanted.is_wanted
    order by t.tgrelid, t.tgname
  loop
    execute format(
      'alter table %s %s trigger %I', v_trigger.table_name, case when v_trigger.is_wanted then 'enable' else 'disable' end, v_trigger.name
    );
  end loop;
end;
$$;

revoke execute on function assignment.set_announcing() from public;
comment on function assignment.set_announcing() is
  'Makes the triggers match the enabled endpoints. Waits at most 2 s for transactions that are writing assignments.';

-- migrate:down
drop function if exists assignment.set_announcing();
