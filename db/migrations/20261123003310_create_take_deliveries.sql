-- Takes deliveries of one endpoint that are due.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.take_deliveries(p_endpoint_id uuid, p_limit integer)
  returns table (message_id uuid, body text, attempts integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set enable_sort = off  -- and a sort of all that wait
  set jit = off
  language plpgsql
as $$
declare
  v_ids uuid[];
begin
  if exists (select from assignment.webhook_endpoints e where e.id = p_endpoint_id and e.enabled) then
    v_ids := array(
      select d.message_id
      from assignment.deliveries d
      where d.endpoint_id = p_endpoint_id
        and d.status = 'pending'
        and d.next_attempt_at <= now()
      order by d.next_attempt_at
      limit p_limit
      for update skip locked
    );
  else
    v_ids := array(
      select d.message_id
      from assignment.deliveries d
      where d.endpoint_id = p_endpoint_id
        and d.message_id = any (array(select m.id from assignment.outbox m where m.is_test_for = p_endpoint_id))
        and d.status = 'pending'
        and d.next_attempt_at <= now()
      limit p_limit
      for update skip locked
    );
  end if;
  update assignment.deliveries d
  set attempts = d.attempts + 1,
    last_attempt_at = now(),
    next_attempt_at = now() + interval '2 minutes'  -- longer than what one process takes at once can need
  where d.endpoint_id = p_endpoint_id
    and d.message_id = any (v_ids);
  return query
  select d.message_id, assignment.render_message(m)::text, d.attempts
  from assignment.deliveries d
  join assignment.outbox m on m.id = d.message_id
  where d.endpoint_id = p_endpoint_id
    and d.message_id = any (v_ids);
end;
$$;

revoke execute on function assignment.take_deliveries(uuid, integer) from public;
comment on function assignment.take_deliveries(uuid, integer) is
  'Takes up to p_limit due deliveries of an endpoint for two minutes, with the text to send (null: nothing is left to tell); tests
only where the endpoint is disabled. attempts counts this one. Whoever took them calls record_deliveries; otherwise
they are due again after that.';

-- migrate:down
drop function if exists assignment.take_deliveries(uuid, integer);
