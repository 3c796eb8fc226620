-- Makes waiting failures due now. The service calls it; it has no right to write failures.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.make_failures_due(
  p_limit integer default 20000,
  p_actor text default null,
  p_request_id text default null
)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set enable_sort = off  -- as in take_due_failures
  set enable_bitmapscan = off
  set enable_seqscan = off
  set jit = off  -- before PostgreSQL 18, a disabled plan type raises the cost, which would start the compiler
  language plpgsql
as $$
declare
  v_member_ids uuid[];
  v_made_due integer;
begin
  v_member_ids := array(
    select member_id
    from assignment.failures
    where next_attempt_at > now()
    order by next_attempt_at, member_id
    limit p_limit
    for update skip locked
  );
  update assignment.failures set next_attempt_at = now() where member_id = any (v_member_ids);
  get diagnostics v_made_due = row_count;
  if p_actor is not null and v_made_due > 0 then
    perform assignment.record_audit(
      p_actor, 'failures.retried', p_after => jsonb_build_object('failures', v_made_due), p_request_id => p_request_id
    );
  end if;
  return v_made_due;
end;
$$;

revoke execute on function assignment.make_failures_due(integer, text, text) from public;
comment on function assignment.make_failures_due(integer, text, text) is
  'Makes up to p_limit failures due now, except those that a retry has locked. Returns how many: fewer than p_limit when
no more are waiting. p_actor: who asks for it; adds failures.retried to the audit log.';

-- migrate:down
drop function if exists assignment.make_failures_due(integer, text, text);
