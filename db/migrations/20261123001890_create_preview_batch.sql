-- What a batch of a run by the policy would do, for dry runs. It writes nothing.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.preview_batch(p_run assignment.backfill_runs, p_member_ids uuid[])
  returns assignment.batch_result
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
declare
  v_document jsonb;
  v_rules assignment.policy_rules[];
  v_request assignment.request := assignment.run_request(p_run);
  v_members record;
  v_choices assignment.choice[];
  v_result assignment.batch_result;
begin
  select p.document, array(select r from assignment.policy_rules r where r.version = p.version order by r.rule)
  into v_document, v_rules
  from assignment.policies p
  where p.version = p_run.policy_version;
  if p_run.kind = 'transfer' then
    select (s.clients).member_ids, s.member_rows into v_members from assignment.select_clients(p_run, p_member_ids) as s;
  else
    select * into v_members from assignment.read_members(p_member_ids);
  end if;

  v_choices := array(
    select row(
      c.member_id, c.trainer_id, c.rule, case c.outcome when 'assign' then 'assigned' else c.outcome end
    )::assignment.choice
    from assignment.choose(
      v_request,
      v_document,
      v_rules,
      v_members.member_ids,
      v_members.member_rows,
      p_taken => array(
        select row(b.trainer_id, sum(b.members))::assignment.trainer_count
        from assignment.backfill_choices b
        where b.run_id = p_run.id
        group by b.trainer_id
      )
    ) as c
  );
  v_result := assignment.count_choices(v_request, v_choices, v_rules);
  if p_run.kind = 'transfer' then
    v_result.not_selected := v_result.not_selected + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  else
    v_result.member_gone := v_result.member_gone + cardinality(p_member_ids) - cardinality(v_members.member_ids);
  end if;
  return v_result;
end;
$$;

revoke execute on function assignment.preview_batch(assignment.backfill_runs, uuid[]) from public;
comment on function assignment.preview_batch(assignment.backfill_runs, uuid[]) is
  'The result that run_batch would have for a transfer or a run by the policy, with the seats that the run has given away so far.';

-- migrate:down
drop function if exists assignment.preview_batch(assignment.backfill_runs, uuid[]);
