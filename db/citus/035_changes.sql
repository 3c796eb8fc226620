-- Changes past the service: what another program ends says so on its row, and each change has a line in the audit log, as on
-- one server. A statement that changes several shards has a line for each of them.

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
  v_gone uuid[];
  v_changed record;
  v_ended uuid[];
  v_clients uuid[];
begin
  if tg_op = 'TRUNCATE' then
    if tg_relid = 'public.trainer_client_assignments'::regclass then  -- a shard tells nothing
      perform assignment.record_audit(null, 'assignments.deleted', p_after => '{"truncated": true}');
    end if;
    return null;  -- ignored for an after trigger
  end if;

  if tg_op = 'DELETE' then
    -- The trigger on members tells of rows that go with their member.
    v_clients := array(select distinct o.client_id from old_rows o);
    if v_clients = '{}' then
      return null;
    end if;
    execute format(
      'select array(select unnest($1) except select m.id from public.members_%s m where m.id = any ($1))',
      get_shard_id_for_distribution_column('public.members'::regclass, v_clients[1])
    )
    into v_gone
    using v_clients;
    with changed as materialized (
      select o.id, o.trainer_id, o.client_id from old_rows o where o.client_id not in (select unnest(v_gone))
    )
    select
      array(select c.id from changed c order by c.id limit 101) as ids,
      array(select distinct c.trainer_id from changed c) as trainer_ids,
      jsonb_build_object('deleted', (select count(*) from changed)) as counts,
      (select c.client_id from changed c limit 1) as place
    into v_changed;
  else
    with changed as materialized (
      select o.id, o.client_id, o.trainer_id, o.status, o::text from old_rows o
      except
      select n.id, n.client_id, n.trainer_id, n.status, n::text from new_rows n
    ),
    counted as materialized (
      select
        (select count(*) from changed) as changed,
        (
          select count(*)
          from (
            select c.id from changed c where c.status = 'active'
            intersect
            select n.id from new_rows n where n.status = 'inactive'
          ) as ended
        ) as ended,
        (
          select count(*)
          from (
            select c.id from changed c where c.status = 'inactive'
            intersect
            select n.id from new_rows n where n.status = 'active'
          ) as revived
        ) as revived
    )
    select
      array(select c.id from changed c order by c.id limit 101) as ids,
      array(
        select c.trainer_id from changed c
        union
        select moved.trainer_id
        from (
          select n.id, n.trainer_id from new_rows n
          except
          select o.id, o.trainer_id from old_rows o
        ) as moved
      ) as trainer_ids,
      jsonb_build_object('ended', ended, 'revived', revived, 'otherwise', changed - ended - revived) as counts,
      (select c.client_id from changed c limit 1) as place
    into v_changed
    from counted;
  end if;

  if v_changed.ids <> '{}' then
    perform assignment.note_line(
      v_changed.place,
      case tg_op when 'DELETE' then 'assignments.deleted' else 'assignments.changed' end,
      v_changed.counts || jsonb_build_object('assignmentIds', to_jsonb(v_changed.ids[:100])),
      case when cardinality(v_changed.ids) = 1 then 'assignment:' || v_changed.ids[1] end,
      v_changed.trainer_ids[:100]
    );
  end if;

  if tg_op = 'UPDATE' then
    begin
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
    exception when others or assert_failure then
      raise warning 'trainer assignment: ended assignments do not say who ended them: %', sqlerrm;
    end;
  end if;
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: a change of assignments is not in the audit log: %', sqlerrm;
  return null;
end;
$$;
