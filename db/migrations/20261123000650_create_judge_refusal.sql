-- Decides what an error means for each member of the failed statement: gone, failed, or to be tried again.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.judge_refusal(
  p_member_ids uuid[],
  p_sqlstate text,
  p_message text,
  p_constraint text,
  out gone integer,
  out failures assignment.member_failure[],
  out undecided_ids uuid[]
)
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_failure assignment.member_failure := assignment.explain_refusal(null, p_sqlstate, p_message, p_constraint);
  v_gone_ids uuid[] := '{}';
  v_refused_ids uuid[] := '{}';
begin
  if p_sqlstate = '23503' or cardinality(p_member_ids) = 1 then
    v_gone_ids := assignment.find_gone_members(p_member_ids);
    v_refused_ids := assignment.find_refused_members(p_member_ids, p_constraint);
  end if;
  if cardinality(p_member_ids) = 1 then
    if v_gone_ids is null  -- who may not look believes the key, where it points at members
      and p_constraint = 'trainer_client_assignments_client_id_fkey'
      and v_failure.sqlstate = '23503'
    then
      v_gone_ids := p_member_ids;
    end if;
    v_refused_ids := p_member_ids;
  end if;
  gone := coalesce(cardinality(v_gone_ids), 0);
  failures := array(
    select row(refused.id, v_failure.sqlstate, v_failure.message)::assignment.member_failure
    from (select unnest(v_refused_ids) except select unnest(v_gone_ids) order by 1) as refused (id)
  );
  undecided_ids := array(
    select unnest(p_member_ids) except select unnest(v_gone_ids || v_refused_ids) order by 1
  );
end;
$$;

revoke execute on function assignment.judge_refusal(uuid[], text, text, text) from public;
comment on function assignment.judge_refusal(uuid[], text, text, text) is
  'What an error means for the members of one statement: how many are gone, who failed and why, and who is still
undecided. Only a member whose id is not in public.members counts as gone.';

-- migrate:down
drop function if exists assignment.judge_refusal(uuid[], text, text, text);
