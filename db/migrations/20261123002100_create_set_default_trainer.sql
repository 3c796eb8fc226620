-- Changes the default trainer: the next version of the policy, with the same rules.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.set_default_trainer(p_trainer_id uuid, p_actor text, p_request_id text default null)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_policy assignment.policies;
begin
  if not exists (select from public.members where id = p_trainer_id) then
    perform assignment.require_visible_rows();  -- a hidden member exists all the same
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  end if;
  select * into v_policy from assignment.policies order by version desc limit 1;
  if (v_policy.document ->> 'defaultTrainerId')::uuid = p_trainer_id
    and exists (select from assignment.settings)
  then
    return v_policy.version;
  end if;
  return assignment.put_policy(
    v_policy.document || jsonb_build_object('defaultTrainerId', p_trainer_id),
    p_actor,
    p_expected_version => v_policy.version,
    p_request_id => p_request_id
  );
end;
$$;

revoke execute on function assignment.set_default_trainer(uuid, text, text) from public;
comment on function assignment.set_default_trainer(uuid, text, text) is
  'Makes a member the default trainer and returns the version of the policy. Nobody is moved. The present default trainer
makes no new version. Raises TA001 p_trainer_id is not a member, TA012 and TA013 as put_policy.';

-- migrate:down
drop function if exists assignment.set_default_trainer(uuid, text, text);
