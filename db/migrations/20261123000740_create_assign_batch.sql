-- Assigns a batch of members: to a named trainer, or as the policy in force says. The trigger's second attempt, retries and
-- runs call it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.assign_batch(
  p_member_ids uuid[],
  p_source text,
  p_trainer_id uuid default null,
  p_version integer default null,
  p_run_id uuid default null,
  p_rows jsonb[] default null,
  p_keep_met boolean default true,
  p_max_attempts integer default null
)
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_settings assignment.settings;
  v_members record;
  v_result assignment.batch_result;
begin
  if p_trainer_id is null and p_version is null then
    select * into v_settings from assignment.settings;
    if not found then
      perform assignment.default_trainer_id();  -- raises
    end if;
  end if;
  if p_trainer_id is not null
    or not (v_settings.needs_choice or (p_keep_met and v_settings.respects_other_trainers))
  then
    return assignment.assign_to_trainer(
      p_member_ids,
      coalesce(p_trainer_id, v_settings.default_trainer_id),
      p_source,
      p_policy_version => coalesce(p_version, v_settings.policy_version),
      p_run_id => p_run_id,
      p_keep_ended => p_keep_met,
      p_max_attempts => p_max_attempts
    );
  end if;

  if p_rows is null then
    select * into v_members from assignment.read_members(p_member_ids);
  else
    select p_member_ids as member_ids, p_rows as member_rows into v_members;
  end if;
  v_result := assignment.assign_by_policy(
    coalesce(p_version, v_settings.policy_version),
    v_members.member_ids,
    v_members.member_rows,
    p_source,
    p_run_id => p_run_id,
    p_keep_met => p_keep_met,
    p_max_attempts => p_max_attempts
  );
  v_result.member_gone := v_result.member_gone + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  return v_result;
end;
$$;

revoke execute on function assignment.assign_batch(uuid[], text, uuid, integer, uuid, jsonb[], boolean, integer) from public;
comment on function assignment.assign_batch(uuid[], text, uuid, integer, uuid, jsonb[], boolean, integer) is
  'Assigns members to p_trainer_id, or as a version of the policy says (null: the version in force), and counts the results.
p_rows: the members'' rows, in the same order; null: read from members. p_keep_met: an assignment that a member has or had
counts. Raises as assign_by_policy does.';

-- migrate:down
drop function if exists assignment.assign_batch(uuid[], text, uuid, integer, uuid, jsonb[], boolean, integer);
