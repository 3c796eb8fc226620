-- Assigns a batch of members to one trainer.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_to_trainer(
  p_request assignment.request,
  p_member_ids uuid[],
  p_max_attempts integer default null
)
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_result assignment.batch_result := (0, 0, 0, 0, 0, 0, 0, '{}', null);
  v_ids uuid[];
  v_pairs assignment.pairs_result;
begin
  if p_request.purpose <> 'first' then
    select unassigned, already_assigned, ended, is_trainer
    into v_ids, v_result.already_assigned, v_result.ended, v_result.is_trainer
    from assignment.sort_members(p_member_ids, p_request.trainer_id);
  else
    v_ids := array(select distinct id from unnest(p_member_ids) as asked (id) where id <> p_request.trainer_id);
    v_result.is_trainer := (p_request.trainer_id = any (p_member_ids))::integer;
  end if;

  v_pairs := assignment.assign_members(
    p_request,
    v_ids,
    array_fill(p_request.trainer_id, array[cardinality(v_ids)]),
    p_max_attempts => p_max_attempts
  );
  v_result.successful := cardinality(v_pairs.assigned);
  v_result.member_gone := cardinality(v_pairs.gone_ids);
  v_result.failures := v_pairs.failures || array(
    select row(v_ids[i], 'TA011', format('trainer %s has no room', p_request.trainer_id), 0)::assignment.member_failure
    from unnest(v_pairs.full_pairs) as i
  );
  v_result.already_assigned := v_result.already_assigned + cardinality(v_ids)
    - v_result.successful - v_result.member_gone - cardinality(v_result.failures);
  return v_result;
end;
$$;

revoke execute on function assignment.assign_to_trainer(assignment.request, uuid[], integer) from public;
comment on function assignment.assign_to_trainer(assignment.request, uuid[], integer) is
  'Assigns members to the trainer of the request, as far as there is room, and counts the results. A policy_version says that
this is the default trainer of that version.
Raises as assign_members does.';

-- migrate:down
drop function if exists assignment.assign_to_trainer(assignment.request, uuid[], integer);
