-- Turns an error of the database into a failure that tells the operator what to do.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.explain_refusal(p_member_id uuid, p_sqlstate text, p_message text, p_constraint text)
  returns assignment.member_failure
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_misplaced_key text;
  v_search_path text;
begin
  if p_sqlstate = '23503' then
    v_misplaced_key := assignment.describe_misplaced_key(p_constraint);
  elsif p_sqlstate in ('42P01', '42704', '42883')  -- table, type or function not found
    and p_message !~ '\m(assignment|public)\.'  -- a name with a schema does not depend on search_path
  then
    v_search_path := assignment.describe_search_path();
  end if;
  return row(
    p_member_id,
    case when v_misplaced_key is null then p_sqlstate else 'TA009' end,
    left(coalesce(v_misplaced_key, left(p_message, 500) || '. ' || v_search_path, p_message), 1000),
    null::smallint
  );
end;
$$;

revoke execute on function assignment.explain_refusal(uuid, text, text, text) from public;
comment on function assignment.explain_refusal(uuid, text, text, text) is
  'The failure to record for an error: TA009 when a foreign key references another table, else the error itself,
with advice where there is some.';

-- migrate:down
drop function if exists assignment.explain_refusal(uuid, text, text, text);
