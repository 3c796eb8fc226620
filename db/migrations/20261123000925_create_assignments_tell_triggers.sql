-- Records changes of assignments that are made past the service, with the database role that made them.
-- Locks: share row exclusive on trainer_client_assignments (given up after 5 s). Reversible.

-- migrate:up
set local lock_timeout = '5s';

create function assignment.tg_trainer_client_assignments__tell_change()
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
  v_role text;
  v_gone uuid[];
  v_changed record;
begin
  if tg_op = 'TRUNCATE' then
    perform assignment.record_audit(null, 'assignments.deleted', p_after => '{"truncated": true}');
    return null;  -- ignored for an after trigger
  end if;

  -- The trigger on members tells of rows that change because a member was deleted. No joins of the transition tables: a
  -- session plans them once, and a plan for a few rows would compare each row with each.
  if tg_op = 'DELETE' then
    v_gone := assignment.find_gone_members(array(select distinct o.client_id from old_rows o));
    with changed as materialized (
      select o.id, o.trainer_id from old_rows o where o.client_id not in (select unnest(v_gone))
    )
    select
      array(select c.id from changed c order by c.id limit 101) as ids,
      array(select distinct c.trainer_id from changed c) as trainer_ids,
      jsonb_build_object('deleted', (select count(*) from changed)) as counts
    into v_changed;
  else
    v_gone := assignment.find_gone_members(
      array(select o.client_id from old_rows o union select o.trainer_id from old_rows o where o.trainer_id is not null)
    );
    with changed as materialized (
      select o.id, o.trainer_id, o.status, o::text
      from old_rows o
      where o.client_id not in (select unnest(v_gone))
        and (o.trainer_id is null or o.trainer_id not in (select unnest(v_gone)))
      except
      select n.id, n.trainer_id, n.status, n::text from new_rows n
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
      jsonb_build_object('ended', ended, 'revived', revived, 'otherwise', changed - ended - revived) as counts
    into v_changed
    from counted;
  end if;

  if v_changed.ids <> '{}' then
    perform assignment.record_audit(
      null,
      case tg_op when 'DELETE' then 'assignments.deleted' else 'assignments.changed' end,
      case when cardinality(v_changed.ids) = 1 then 'assignment:' || v_changed.ids[1] end,
      v_changed.trainer_ids[:100],
      p_after => v_changed.counts || jsonb_build_object('assignmentIds', to_jsonb(v_changed.ids[:100]))
    );
  end if;

  if tg_op = 'UPDATE' then
    begin
      v_role := assignment.database_role();
      perform set_config('assignment.by_service', 'on', true);  -- this update is no change to tell
      update public.trainer_client_assignments a
      set ended_at = coalesce(a.ended_at, greatest(now(), a.assignment_date)),
        ended_by = v_role,
        ended_because = 'direct'
      where a.id = any (array(
        select ended.id
        from (  -- the other program may say itself who ended it
          select o.id, o.ended_by from old_rows o where o.status = 'active'
          intersect
          select n.id, n.ended_by from new_rows n where n.status = 'inactive'
        ) as ended
      ));
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

revoke execute on function assignment.tg_trainer_client_assignments__tell_change() from public;
comment on function assignment.tg_trainer_client_assignments__tell_change() is
  'Adds assignments.changed or assignments.deleted to the audit log, with counts and the first 100 ids, and says on ended rows
who ended them. Where row-level security hides members, it also tells of what follows from a change of members. Never makes
the statement fail.';

-- Only the owner of the schema can pass as the service: others cannot avoid the triggers by the setting.
create trigger trainer_client_assignments_tell_change_after_update
  after update on public.trainer_client_assignments
  referencing old table as old_rows new table as new_rows
  for each statement
  when (
    not has_schema_privilege('assignment', 'create')
    or current_setting('assignment.by_service', true) is distinct from 'on'
  )
  execute function assignment.tg_trainer_client_assignments__tell_change();

create trigger trainer_client_assignments_tell_change_after_delete
  after delete on public.trainer_client_assignments
  referencing old table as old_rows
  for each statement
  when (
    not has_schema_privilege('assignment', 'create')
    or current_setting('assignment.by_service', true) is distinct from 'on'
  )
  execute function assignment.tg_trainer_client_assignments__tell_change();

create trigger trainer_client_assignments_tell_change_after_truncate
  after truncate on public.trainer_client_assignments
  for each statement
  execute function assignment.tg_trainer_client_assignments__tell_change();

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its triggers, even where the table is already gone.
drop function if exists assignment.tg_trainer_client_assignments__tell_change() cascade;
