-- Sends again.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.redeliver(
  p_endpoint_id uuid,
  p_actor text,
  p_message_id uuid default null,
  p_failed_since timestamptz default null,
  p_request_id text default null
)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  set jit = off
  language plpgsql
as $$
declare
  v_count integer;
begin
  if not exists (select from assignment.webhook_endpoints where id = p_endpoint_id) then
    raise exception 'webhook % does not exist', p_endpoint_id using errcode = 'TA021';
  end if;
  update assignment.deliveries d
  set status = 'pending', next_attempt_at = now(), ended_at = null, attempts = 0
  where d.endpoint_id = p_endpoint_id
    and case
      when p_message_id is not null then d.message_id = p_message_id
      else d.status = 'failed' and d.ended_at >= p_failed_since
    end;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform assignment.record_audit(
      p_actor,
      'webhook.redelivered',
      'webhook:' || p_endpoint_id,
      p_after => jsonb_build_object('messages', v_count),
      p_request_id => p_request_id
    );
  end if;
  return v_count;
end;
$$;

revoke execute on function assignment.redeliver(uuid, text, uuid, timestamptz, text) from public;
comment on function assignment.redeliver(uuid, text, uuid, timestamptz, text) is
  'Makes one message of an endpoint due again, or all that failed since a time, and returns how many. Raises TA021 the endpoint
does not exist.';

-- migrate:down
drop function if exists assignment.redeliver(uuid, text, uuid, timestamptz, text);
