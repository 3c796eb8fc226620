-- Enables the triggers that announce what somebody wants to hear of, and disables the others.
-- Locks: none by the migration. The function takes share row exclusive on trainer_client_assignments and failures for
-- milliseconds, when the wishes change. Reversible.

-- migrate:up
create function assignment.set_announcing(p_tries integer default 10)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '50ms'  -- whoever signs up meanwhile waits no longer, and has a limit of 250 ms
  language plpgsql
as $$
declare
  v_trigger record;
  v_enabled integer;
  v_is_needed boolean;
begin
  for v_try in 1..p_tries loop
    begin
      v_enabled := 0;
      v_is_needed := true;
      -- One after the other: each sees what the one before wished.
      perform pg_advisory_xact_lock(hashtextextended('assignment.set_announcing', 0));
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
          and (t.tgenabled in ('O', 'A')) <> wanted.is_wanted
        order by wanted.is_wanted desc, t.tgrelid, t.tgname
      loop
        v_is_needed := v_trigger.is_wanted;
        execute format(
          'alter table %s %s trigger %I',
          v_trigger.table_name,
          case when v_trigger.is_wanted then 'enable' else 'disable' end,
          v_trigger.name
        );
        v_enabled := v_enabled + v_trigger.is_wanted::integer;
      end loop;
      return v_enabled;
    exception when lock_not_available then
      if v_try = p_tries then
        if v_is_needed then
          raise;
        end if;
        return 0;  -- what nobody wants costs a little until tend_outbox disables it
      end if;
      perform pg_sleep(0.2);
    end;
  end loop;
end;
$$;

revoke execute on function assignment.set_announcing(integer) from public;
comment on function assignment.set_announcing(integer) is
  'Makes the triggers match the enabled endpoints, and returns how many it enabled. Tries for some 2 s between transactions that
write assignments; then raises 55P03 if a message that is wanted would not be written.';

-- migrate:down
drop function if exists assignment.set_announcing(integer);
