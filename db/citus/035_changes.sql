-- What another program ends says so on its row, as on one server. A line of the audit log it gets not: that lies on the
-- coordinator.

create or replace function assignment.tg_trainer_client_assignments__tell_change()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_ended uuid[];
  v_clients uuid[];
begin
  if tg_op <> 'UPDATE' then
    return null;  -- ignored for an after trigger
  end if;
  v_ended := array(
    select ended.id
    from (  -- the other program may say itself who ended it
      select o.id, o.ended_by from old_rows o where o.status = 'active'
      intersect
      select n.id, n.ended_by from new_rows n where n.status = 'inactive'
    ) as ended
  );
  if v_ended = '{}' then
    return null;
  end if;
  v_clients := array(select distinct n.client_id from new_rows n where n.id = any (v_ended));
  perform set_config('assignment.by_service', 'on', true);  -- this update is no change to tell
  execute format(
    'update %s a
     set ended_at = coalesce(a.ended_at, greatest(now(), a.assignment_date)), ended_by = $1, ended_because = %L
     where a.client_id = any ($2) and a.id = any ($3)',
    tg_relid::regclass,
    'direct'
  )
  using assignment.database_role(), v_clients, v_ended;
  perform set_config('assignment.by_service', '', true);
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: ended assignments do not say who ended them: %', sqlerrm;
  return null;
end;
$$;
