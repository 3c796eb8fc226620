-- Sends a test.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.send_test(p_endpoint_id uuid, p_actor text, p_request_id text default null)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_type text;
  v_id uuid;
begin
  select e.types[1] into v_type from assignment.webhook_endpoints e where e.id = p_endpoint_id and e.url is not null;
  if not found then
    raise exception 'webhook % does not exist, or has no URL', p_endpoint_id using errcode = 'TA021';
  end if;
  insert into assignment.outbox (type, is_test_for) values (v_type, p_endpoint_id) returning id into v_id;
  perform assignment.record_audit(
    p_actor, 'webhook.tested', 'webhook:' || p_endpoint_id, p_request_id => p_request_id
  );
  return v_id;
end;
$$;

revoke execute on function assignment.send_test(uuid, text, text) from public;
comment on function assignment.send_test(uuid, text, text) is
  'Writes a test message for one endpoint, also a disabled one, and returns its id. Raises TA021 it does not exist.';

-- migrate:down
drop function if exists assignment.send_test(uuid, text, text);
