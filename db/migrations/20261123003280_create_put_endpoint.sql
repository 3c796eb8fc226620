-- Creates and changes endpoints, and lets the triggers announce what is wanted then.
-- Locks: none by the migration; see set_announcing. Reversible.

-- migrate:up
create function assignment.put_endpoint(p_id uuid, p_change jsonb, p_actor text, p_request_id text default null)
  returns uuid
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_before assignment.webhook_endpoints;
  v_after assignment.webhook_endpoints;
begin
  if p_id is null then
    insert into assignment.webhook_endpoints (id, url, description, types, secret, created_by, updated_by)
    values (
      coalesce((p_change ->> 'id')::uuid, assignment.uuid_v7()),
      p_change ->> 'url',
      p_change ->> 'description',
      array(select jsonb_array_elements_text(p_change -> 'types')),
      p_change ->> 'secret',
      p_actor,
      p_actor
    )
    returning * into v_after;
  else
    select * into v_before from assignment.webhook_endpoints where id = p_id for update;
    if not found then
      raise exception 'webhook % does not exist', p_id using errcode = 'TA021';
    end if;
    update assignment.webhook_endpoints e
    set url = case when p_change ? 'url' then p_change ->> 'url' else e.url end,
      description = case when p_change ? 'description' then p_change ->> 'description' else e.description end,
      types = case when p_change ? 'types' then array(select jsonb_array_elements_text(p_change -> 'types')) else e.types end,
      secret = case when p_change ? 'secret' then p_change ->> 'secret' else e.secret end,
      former_secret = case when p_change ? 'secret' then e.secret else e.former_secret end,
      former_secret_until = case
        when not p_change ? 'secret' then e.former_secret_until
        when e.secret is not null then now() + interval '24 hours'
      end,
      enabled = coalesce((p_change ->> 'enabled')::boolean, e.enabled),
      disabled_because = case when p_change ? 'enabled' then null else e.disabled_because end,
      failing_since = case when (p_change ->> 'enabled')::boolean and not e.enabled then null else e.failing_since end,
      updated_at = now(),
      updated_by = p_actor
    where e.id = p_id
    returning * into v_after;
  end if;

  perform assignment.set_announcing();
  perform assignment.record_audit(
    p_actor,
    case when v_before.id is null then 'webhook.created' else 'webhook.changed' end,
    'webhook:' || v_after.id,
    p_before => case
      when v_before.id is not null then jsonb_build_object(
        'url', assignment.shorten_url(v_before.url), 'types', v_before.types, 'enabled', v_before.enabled, 'description', v_before.description
      )
    end,
    p_after => jsonb_build_object(
      'url', assignment.shorten_url(v_after.url),
      'types', v_after.types,
      'enabled', v_after.enabled,
      'description', v_after.description,
      'newUrl', v_after.url is distinct from v_before.url,
      'newSecret', p_change ? 'secret'
    ),
    p_request_id => p_request_id
  );
  return v_after.id;
end;
$$;

revoke execute on function assignment.put_endpoint(uuid, jsonb, text, text) from public;
comment on function assignment.put_endpoint(uuid, jsonb, text, text) is
  'Creates an endpoint (p_id null), or changes what p_change has of url, description, types, secret (sealed) and enabled. A new
secret leaves the former one valid for 24 hours. A new endpoint gets what is committed from now on, and perhaps what was
committed a moment ago. Raises TA021 the endpoint does not exist, 55P03 when transactions that write
assignments leave no moment for it.';

-- migrate:down
drop function if exists assignment.put_endpoint(uuid, jsonb, text, text);
