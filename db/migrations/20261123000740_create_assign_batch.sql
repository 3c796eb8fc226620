-- Assigns a batch of members: to a named trainer, or as the policy in force says. The trigger's second attempt, retries and
-- runs call it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_batch(
  p_request assignment.request,
  p_member_ids uuid[],
  p_rows jsonb[] default null,
  p_max_attempts integer default null
)
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_request assignment.request := p_request;
  v_settings assignment.settings;
  v_members record;
  v_result assignment.batch_result;
begin
  if v_request.trainer_id is null and v_request.policy_version is null then
    select * into v_settings from assignment.settings;
    if not found then
      perform assignment.default_trainer_id();  -- raises
    end if;
    v_request.policy_version := v_settings.policy_version;
    if not (v_settings.needs_choice or (v_request.purpose <> 'first' and v_settings.respects_other_trainers)) then
      v_request.trainer_id := v_settings.default_trainer_id;
    end if;
  end if;
  if v_request.trainer_id is not null then
    return assignment.assign_to_trainer(v_request, p_member_ids, p_max_attempts);
  end if;

  if p_rows is null then
    select * into v_members from assignment.read_members(p_member_ids);
  else
    select p_member_ids as member_ids, p_rows as member_rows into v_members;
  end if;
  v_result := assignment.choose_and_assign(v_request, v_members.member_ids, v_members.member_rows, p_max_attempts => p_max_attempts);
  v_result.member_gone := v_result.member_gone + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  return v_result;
end;
$$;

revoke execute on function assignment.assign_batch(assignment.request, uuid[], jsonb[], integer) from public;
comment on function assignment.assign_batch(assignment.request, uuid[], jsonb[], integer) is
  'Assigns members as a request says that is no transfer, and counts the results. p_rows: the members'' rows, in the same order; null: read
from members. Raises as choose_and_assign does.';

-- migrate:down
drop function if exists assignment.assign_batch(assignment.request, uuid[], jsonb[], integer);
