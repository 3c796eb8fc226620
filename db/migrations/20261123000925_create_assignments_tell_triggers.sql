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
  language plpgsql
as $$
declare
  v_sees_members boolean;
  v_changed record;
begin
  -- What follows from a change of members is told there: its rows, old or new, name a trainer or client who is no member.
  v_sees_members := assignment.hides_rows('public.members', current_user) is not true;
  if tg_op = 'TRUNCATE' then
    perform assignment.record_audit(null, 'assignments.deleted', p_after => '{"truncated": true}');
    return null;  -- ignored for an after trigger
  elsif tg_op = 'DELETE' then
    select
      array_agg(o.id order by o.id) as ids,
      array_agg(distinct o.trainer_id) as trainer_ids,
      jsonb_build_object('deleted', count(*)) as counts
    into v_changed
    from old_rows o
    where not v_sees_members or exists (select from public.members m where m.id = o.client_id);
  else
    select
      array_agg(n.id order by n.id) as ids,
      array_agg(distinct o.trainer_id) || array_agg(distinct n.trainer_id) as trainer_ids,
      jsonb_build_object(
        'ended', count(*) filter (where o.status = 'active' and n.status = 'inactive'),
        'revived', count(*) filter (where o.status = 'inactive' and n.status = 'active'),
        'otherwise', count(*) filter (where o.status = n.status)
      ) as counts
    into v_changed
    from old_rows o
    join new_rows n on n.id = o.id
    where row(n.*) is distinct from row(o.*)
      and (
        not v_sees_members
        or exists (select from public.members m where m.id = o.client_id)
          and (o.trainer_id is null or exists (select from public.members m where m.id = o.trainer_id))
      );
  end if;

  if v_changed.ids is not null then
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
      perform set_config('assignment.by_service', 'on', true);  -- this update is no change to tell
      update public.trainer_client_assignments a
      set ended_at = coalesce(a.ended_at, greatest(now(), a.assignment_date)),
        ended_by = assignment.database_role(),
        ended_because = 'direct'
      from old_rows o
      join new_rows n on n.id = o.id
      where a.id = n.id
        and o.status = 'active'
        and n.status = 'inactive'
        and n.ended_by is not distinct from o.ended_by;  -- the other program may say itself who ended it
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
who ended them. Where row-level security hides members, it also tells of what follows from a change of members. Never makes the statement fail.';

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
