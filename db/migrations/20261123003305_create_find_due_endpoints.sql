-- Finds the endpoints that have something to get.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_due_endpoints()
  returns table (id uuid, url text, secret text, former_secret text)
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language sql
as $$
  select e.id, e.url, e.secret, case when e.former_secret_until > now() then e.former_secret end
  from assignment.webhook_endpoints e
  where e.url is not null
    and case
      when e.enabled then exists (
        select
        from assignment.deliveries d
        where d.endpoint_id = e.id
          and d.status = 'pending'
          and d.next_attempt_at <= now()
      )
      else exists (
        select
        from assignment.outbox m
        join assignment.deliveries d on d.endpoint_id = e.id and d.message_id = m.id
        where m.is_test_for = e.id
          and d.status = 'pending'
          and d.next_attempt_at <= now()
      )
    end
  order by e.id
$$;

revoke execute on function assignment.find_due_endpoints() from public;
comment on function assignment.find_due_endpoints() is
  'Endpoints with deliveries that are due, with their sealed secrets; the former one as long as it is valid. A disabled endpoint
gets tests only.';

-- migrate:down
drop function if exists assignment.find_due_endpoints();
