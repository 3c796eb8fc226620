-- How webhooks stand.
-- Locks: none. Reversible.

-- migrate:up
create view assignment.webhook_states as
select
  e.id,
  e.url,
  e.description,
  e.types,
  e.enabled,
  e.disabled_because,
  e.failing_since,
  case when e.former_secret_until > now() then e.former_secret_until end as former_secret_until,
  e.created_at,
  e.created_by,
  e.updated_at,
  e.updated_by,
  pending.count as pending,
  failed.count as failed,
  (
    select m.at
    from assignment.deliveries d
    join assignment.outbox m on m.id = d.message_id
    where d.endpoint_id = e.id
      and d.status = 'pending'
    order by d.message_id
    limit 1
  ) as oldest_pending_at
from assignment.webhook_endpoints e
cross join lateral (
  select count(*) as count
  from (
    select from assignment.deliveries d where d.endpoint_id = e.id and d.status = 'pending' limit 10001
  ) as counted
) as pending
cross join lateral (
  select count(*) as count
  from (
    select from assignment.deliveries d where d.endpoint_id = e.id and d.status = 'failed' limit 10001
  ) as counted
) as failed;

comment on view assignment.webhook_states is
  'Webhooks without their secrets, with their messages that wait and those that were given up, each counted up to 10,001.';

-- migrate:down
drop view if exists assignment.webhook_states;
