-- What a batch of a run for one trainer would do, for dry runs. It writes nothing.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.preview_assign_to_trainer(p_member_ids uuid[], p_trainer_id uuid, p_taken integer)
  returns assignment.batch_result
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_sorted record;
  v_room integer;
  v_result assignment.batch_result;
begin
  select * into v_sorted from assignment.sort_members(p_member_ids, p_trainer_id);

  if cardinality(assignment.find_refused_members(array[p_trainer_id], 'trainer_client_assignments_trainer_id_fkey')) > 0 then
    raise exception '%', assignment.describe_misplaced_key('trainer_client_assignments_trainer_id_fkey') using errcode = 'TA009';
  end if;
  v_result.failures := array(
    select row(id, 'TA009', assignment.describe_misplaced_key('trainer_client_assignments_client_id_fkey'), null)::assignment.member_failure
    from unnest(assignment.find_refused_members(v_sorted.unassigned, 'trainer_client_assignments_client_id_fkey')) as refused (id)
  );
  select case when r.trainer_id is null then 0 else coalesce(r.room, cardinality(v_sorted.unassigned)) end into v_room
  from (values (p_trainer_id)) as asked (id)
  left join assignment.find_room(
    array[p_trainer_id],
    '{}',
    array[row(p_trainer_id, p_taken)::assignment.trainer_count],
    cardinality(v_sorted.unassigned)
  ) as r on true;
  v_result.failures := v_result.failures || array(
    select row(id, 'TA011', format('trainer %s has no room', p_trainer_id), 0)::assignment.member_failure
    from unnest(v_sorted.unassigned[v_room + 1:]) as waiting (id)
    where id not in (select member_id from unnest(v_result.failures))
  );
  v_result.successful := cardinality(v_sorted.unassigned) - cardinality(v_result.failures);
  v_result.already_assigned := v_sorted.already_assigned;
  v_result.ended := v_sorted.ended;
  v_result.is_trainer := v_sorted.is_trainer;
  v_result.member_gone := 0;
  v_result.excluded := 0;
  v_result.not_selected := 0;
  return v_result;
end;
$$;

revoke execute on function assignment.preview_assign_to_trainer(uuid[], uuid, integer) from public;
comment on function assignment.preview_assign_to_trainer(uuid[], uuid, integer) is
  'The result that assign_to_trainer would have, with p_taken more seats taken.
Raises TA009 when the foreign key of the trainer references another table.';

-- migrate:down
drop function if exists assignment.preview_assign_to_trainer(uuid[], uuid, integer);
