-- Decides who trains the members of a request.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.choose(
  p_request assignment.request,
  p_document jsonb,
  p_rules assignment.policy_rules[],
  p_member_ids uuid[],
  p_rows jsonb[],
  p_full uuid[] default '{}',
  p_taken assignment.trainer_count[] default '{}'
)
  returns setof assignment.choice
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  if p_request.purpose = 'transfer' then
    return query
    select * from assignment.choose_successors(p_request, p_document, p_rules, p_member_ids, p_rows, p_full, p_taken);
  else
    return query
    select * from assignment.choose_trainers(p_document, p_rules, p_member_ids, p_rows, p_request.purpose, p_full, p_taken);
  end if;
end;
$$;

revoke execute on function
  assignment.choose(assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[])
  from public;
comment on function
  assignment.choose(assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[]) is
  'The choices of choose_successors for a transfer, else those of choose_trainers.';

-- migrate:down
drop function if exists
  assignment.choose(assignment.request, jsonb, assignment.policy_rules[], uuid[], jsonb[], uuid[], assignment.trainer_count[]);
