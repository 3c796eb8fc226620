-- Records what became of attempts, and disables an endpoint that is gone or has failed for five days.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_deliveries(p_endpoint_id uuid, p_results jsonb, out disabled_because text)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '5s'
  set jit = off
  language plpgsql
as $$
declare
  v_counts record;
begin
  with results as materialized (
    select *
    from jsonb_to_recordset(p_results) as r (
      message_id uuid, outcome text, status integer, error text, answer text, took_ms integer, retry_in_ms bigint
    )
  ),
  updated as (
    update assignment.deliveries d
    set status = case
        when r.outcome in ('delivered', 'dropped') then r.outcome
        when r.retry_in_ms is null then 'failed'
        else 'pending'
      end,
      next_attempt_at = case
        when r.outcome = 'failed' and r.retry_in_ms is not null then now() + r.retry_in_ms * interval '1 millisecond'
      end,
      ended_at = case when r.outcome <> 'failed' or r.retry_in_ms is null then now() end,
      last_status = r.status,
      last_error = r.error,
      last_answer = left(r.answer, 2000),
      last_took_ms = r.took_ms
    from results r
    where d.endpoint_id = p_endpoint_id
      and d.message_id = r.message_id
      and d.status = 'pending'
    returning r.outcome, r.status
  )
  select
    count(*) filter (where u.outcome = 'delivered') as delivered,
    count(*) filter (where u.outcome = 'failed') as failed,
    count(*) filter (where u.outcome = 'failed' and u.status = 410) as gone
  into v_counts
  from updated u;

  update assignment.webhook_endpoints e
  set failing_since = case
    when v_counts.delivered > 0 then null
    when v_counts.failed > 0 then coalesce(e.failing_since, now())
    else e.failing_since
  end
  where e.id = p_endpoint_id
    and (e.failing_since is null) = (v_counts.failed > 0 and v_counts.delivered = 0);  -- spares a row that all write

  select case
    when v_counts.gone > 0 then 'gone'
    when e.failing_since < now() - interval '5 days' then 'failing'
  end
  into disabled_because
  from assignment.webhook_endpoints e
  where e.id = p_endpoint_id
    and e.enabled;
  if disabled_because is not null then
    begin
      update assignment.webhook_endpoints e
      set enabled = false, disabled_because = record_deliveries.disabled_because, updated_at = now(), updated_by = 'service'
      where e.id = p_endpoint_id
        and e.enabled;
      if found then
        perform assignment.record_audit(
          'service',
          'webhook.disabled',
          'webhook:' || p_endpoint_id,
          p_after => jsonb_build_object('enabled', false, 'because', disabled_because)
        );
      end if;
    exception when others or assert_failure then  -- the results stay: without them, all would be sent again
      raise warning 'trainer assignment: endpoint % is not disabled, although it is %: %',
        p_endpoint_id, disabled_because, sqlerrm
        using hint = 'The next result of a delivery disables it.';
      disabled_because := null;
    end;
  end if;
end;
$$;

revoke execute on function assignment.record_deliveries(uuid, jsonb) from public;
comment on function assignment.record_deliveries(uuid, jsonb) is
  'Records results: message_id, outcome (delivered, failed, dropped), status, error, answer, took_ms, and for a failure
retry_in_ms (null: given up). disabled_because: gone or failing when this disabled the endpoint. Waits for nobody who
writes assignments: tend_outbox stops what nobody wants any more from being announced.';

-- migrate:down
drop function if exists assignment.record_deliveries(uuid, jsonb);
