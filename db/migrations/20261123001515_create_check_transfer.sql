-- Checks what is asked of a transfer, before it is started or previewed.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.check_transfer(p_from_trainer_id uuid, p_trainer_id uuid, p_condition jsonb)
  returns integer
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_policy_version integer;
  v_problem record;
begin
  perform assignment.require_visible_rows();
  if not exists (select from public.members where id = p_from_trainer_id) then
    raise exception 'trainer % is not a member', p_from_trainer_id using errcode = 'TA001';
  elsif p_trainer_id is not null and not exists (select from public.members where id = p_trainer_id) then
    raise exception 'trainer % is not a member', p_trainer_id using errcode = 'TA001';
  elsif p_trainer_id = p_from_trainer_id then
    raise exception 'trainer % cannot take over from themselves', p_from_trainer_id using errcode = 'TA017';
  end if;
  if p_trainer_id is null then
    select s.policy_version into v_policy_version
    from assignment.settings s
    where s.default_trainer_id <> p_from_trainer_id
      or exists (select from assignment.policy_rules r where r.version = s.policy_version);
    if not found then
      perform assignment.default_trainer_id();  -- raises where there are no settings
      raise exception 'the policy knows no trainer besides %', p_from_trainer_id
        using errcode = 'TA017', hint = 'Name the trainer who takes over, or change the policy first.';
    end if;
  end if;
  if p_condition is not null then
    select * into v_problem
    from assignment.find_policy_problems(jsonb_build_object(
      'defaultTrainerId', null,
      'respectsOtherTrainers', false,
      'rules', jsonb_build_array(assignment.selecting_rule(p_condition))
    )) as p
    where not p.is_warning
    order by p.pointer
    limit 1;
    if found then
      raise exception '%', v_problem.detail
        using errcode = 'TA012', detail = regexp_replace(v_problem.pointer, '^/rules/0/when', '/condition');
    end if;
  end if;
  return v_policy_version;
end;
$$;

revoke execute on function assignment.check_transfer(uuid, uuid, jsonb) from public;
comment on function assignment.check_transfer(uuid, uuid, jsonb) is
  'The version of the policy that a transfer would follow; null if the trainer who takes over is named.
Raises TA001 a trainer is not a member, TA012 the condition is not valid (a pointer in detail), TA017 nobody can take over.';

-- migrate:down
drop function if exists assignment.check_transfer(uuid, uuid, jsonb);
