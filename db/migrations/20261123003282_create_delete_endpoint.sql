-- Deletes an endpoint.
-- Locks: none by the migration; see set_announcing. Reversible.

-- migrate:up
create function assignment.delete_endpoint(p_id uuid, p_actor text, p_request_id text default null)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_before assignment.webhook_endpoints;
begin
  delete from assignment.webhook_endpoints where id = p_id returning * into v_before;
  if not found then
    raise exception 'webhook % does not exist', p_id using errcode = 'TA021';
  end if;
  perform assignment.set_announcing();
  perform assignment.record_audit(
    p_actor,
    'webhook.deleted',
    'webhook:' || p_id,
    p_before => jsonb_build_object(
      'url', assignment.shorten_url(v_before.url), 'types', v_before.types, 'enabled', v_before.enabled
    ),
    p_request_id => p_request_id
  );
end;
$$;

revoke execute on function assignment.delete_endpoint(uuid, text, text) from public;
comment on function assignment.delete_endpoint(uuid, text, text) is
  'Deletes an endpoint with the record of its deliveries. Raises TA021 it does not exist.';

-- migrate:down
drop function if exists assignment.delete_endpoint(uuid, text, text);
