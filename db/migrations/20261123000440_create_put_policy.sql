-- Writes the next version of the policy.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.put_policy(
  p_document jsonb,
  p_actor text,
  p_comment text default null,
  p_expected_version integer default null,
  p_request_id text default null
)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_version integer;
  v_problem record;
begin
  select max(version) into v_version from assignment.policies;
  if v_version <> p_expected_version then
    raise exception 'the policy has version %, not %', v_version, p_expected_version using errcode = 'TA013';
  end if;
  select * into v_problem from assignment.find_policy_problems(p_document) as p where not p.is_warning order by p.pointer limit 1;
  if found then
    raise exception '%: %', v_problem.pointer, v_problem.detail using errcode = 'TA012', detail = v_problem.pointer;
  end if;

  v_version := coalesce(v_version, 0) + 1;
  begin
    insert into assignment.policies (version, document, comment, created_by)
    values (v_version, p_document, p_comment, p_actor);
  exception when unique_violation then
    raise exception 'someone else has just written version %', v_version using errcode = 'TA013';
  end;
  insert into assignment.policy_rules select * from assignment.compile_rules(p_document, v_version);
  perform assignment.refresh_settings();

  perform assignment.record_audit(
    p_actor,
    'policy.changed',
    'policy:' || v_version,
    p_before => jsonb_build_object('version', v_version - 1),
    p_after => jsonb_strip_nulls(jsonb_build_object('version', v_version, 'comment', p_comment)),
    p_request_id => p_request_id
  );

  perform assignment.announce('policy.changed', p_policy_version => v_version);

  perform assignment.make_all_waiting_due();
  return v_version;
end;
$$;

revoke execute on function assignment.put_policy(jsonb, text, text, integer, text) from public;
comment on function assignment.put_policy(jsonb, text, text, integer, text) is
  'Writes the next version of the policy, in force at once for whoever is inserted from then on, and returns its number.
Raises TA012 the document does not fit the database (the JSON pointer in detail), TA013 p_expected_version is not the
version in force.';

-- migrate:down
drop function if exists assignment.put_policy(jsonb, text, text, integer, text);
