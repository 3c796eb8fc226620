-- Keeps the outbox in order: fills gaps, forgets what is old, and mends what a restore left.
-- Locks: none by the migration; see set_announcing. Reversible.

-- migrate:up
create function assignment.tend_outbox(out filled integer, out forgotten integer, out enabled integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set enable_sort = off  -- and a sort of all that are old
  set plan_cache_mode = force_custom_plan
  set jit = off
  language plpgsql
as $$
declare
  v_gap assignment.outbox_gaps;
  v_ids uuid[];
begin
  filled := 0;
  for v_gap in
    select * from assignment.outbox_gaps order by id limit 1000 for update skip locked
  loop
    begin
      delete from assignment.outbox_gaps where id = v_gap.id;
      if not assignment.announce(
        v_gap.type, v_gap.assignment_ids, v_gap.member_ids, v_gap.run_id, v_gap.policy_version
      ) then
        raise object_not_in_prerequisite_state;
      end if;
    exception when object_not_in_prerequisite_state then
      exit;  -- the outbox still refuses: the gap stays as it is
    end;
    filled := filled + 1;
  end loop;

  -- Delivered messages stay for 7 days, those that an endpoint did not get for 30.
  v_ids := array(
    select m.id
    from assignment.outbox m
    where m.at < now() - interval '30 days'
      and m.is_addressed
    order by m.at
    limit 10000
    for update skip locked
  );
  v_ids := v_ids || array(
    select m.id
    from assignment.outbox m
    where m.at >= now() - interval '30 days'
      and m.at < now() - interval '7 days'
      and m.is_addressed
      and not exists (
        select from assignment.deliveries d where d.message_id = m.id and d.status in ('pending', 'failed')
      )
    order by m.at
    limit 10000 - cardinality(v_ids)
    for update skip locked
  );
  with deleted as (
    delete from assignment.outbox m where m.id = any (v_ids) and m.is_test_for is null returning m.type, m.xid, m.id
  )
  insert into assignment.outbox_forgotten (type, xid, id)
  select distinct on (d.type) d.type, d.xid, d.id from deleted d order by d.type, d.xid desc, d.id desc
  on conflict (type) do update
    set xid = excluded.xid, id = excluded.id
    where (outbox_forgotten.xid, outbox_forgotten.id) < (excluded.xid, excluded.id);
  delete from assignment.outbox where id = any (v_ids);  -- the tests
  forgotten := cardinality(v_ids);

  -- A restored database counts its transactions from anew: rows from its future would be held back until then.
  update assignment.outbox set xid = pg_current_xact_id() where xid >= pg_snapshot_xmax(pg_current_snapshot());
  delete from assignment.outbox_forgotten where xid >= pg_snapshot_xmax(pg_current_snapshot());

  begin
    enabled := assignment.set_announcing(p_tries => 1);
  exception when lock_not_available then
    enabled := 0;  -- the next call tries again
  end;
end;
$$;

revoke execute on function assignment.tend_outbox() from public;
comment on function assignment.tend_outbox() is
  'Makes messages of up to 1,000 gaps, deletes up to 10,000 old messages, and returns how many of each.
enabled: announcing triggers that were disabled although somebody wants their messages.';

-- migrate:down
drop function if exists assignment.tend_outbox();
