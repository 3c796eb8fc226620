-- Chooses trainers for a batch of members, and assigns them.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.choose_and_assign(
  p_request assignment.request,
  p_member_ids uuid[],
  p_rows jsonb[],
  p_clients assignment.clients default null,
  p_max_attempts integer default null
)
  returns assignment.batch_result
  volatile
  set search_path = pg_catalog, pg_temp
  set plan_cache_mode = auto  -- again at the end of the call
  set jit = off
  language plpgsql
as $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_ids uuid[] := p_member_ids;
  v_rows jsonb[] := p_rows;
  v_result record;
  v_full uuid[] := '{}';
  v_done assignment.choice[] := '{}';
  v_gone_ids uuid[] := '{}';
  v_failures assignment.member_failure[] := '{}';
begin
  -- For a few members, a session plans once: planning is half of what a signup takes.
  if cardinality(p_member_ids) <= 10 then
    perform set_config('plan_cache_mode', 'force_generic_plan', true);
  end if;

  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_request.policy_version;
  if not found and p_request.policy_version is not null then
    raise exception 'the policy has no version %', p_request.policy_version using errcode = 'TA014';
  end if;

  loop
    select * into v_result
    from assignment.carry_out_choices(
      p_request,
      array(select c from assignment.choose(p_request, v_document, v_rules, v_ids, v_rows, v_full) as c),
      p_clients,
      p_max_attempts
    );
    v_done := v_done || v_result.done;
    v_gone_ids := v_gone_ids || v_result.gone_ids;
    v_failures := v_failures || v_result.failures;

    -- Where another session took the last seat, these members choose again, without that trainer.
    exit when v_result.full_members = '{}';
    v_full := v_full || array(select distinct unnest(v_result.full_trainers));
    select array_agg(m.id order by m.place), array_agg(m.member_row order by m.place)
    into v_ids, v_rows
    from unnest(v_ids, v_rows) with ordinality as m (id, member_row, place)
    where m.id in (select unnest(v_result.full_members));
  end loop;
  return assignment.count_choices(p_request, v_done, v_rules, v_gone_ids, v_failures);
end;
$$;

revoke execute on function assignment.choose_and_assign(assignment.request, uuid[], jsonb[], assignment.clients, integer) from public;
comment on function assignment.choose_and_assign(assignment.request, uuid[], jsonb[], assignment.clients, integer) is
  'Assigns members, given with their rows, as the policy_version of the request says, or in a transfer to the trainer of the
request. Counts the results. Members for whom no trainer has room are among the failures (TA011).
Raises as assign_members does, and TA014 no such version.';

-- migrate:down
drop function if exists assignment.choose_and_assign(assignment.request, uuid[], jsonb[], assignment.clients, integer);
