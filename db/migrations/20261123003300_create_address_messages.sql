-- Makes a delivery of each new message for each endpoint that wants it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.address_messages(p_limit integer default 1000)
  returns integer
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_ids uuid[];
begin
  v_ids := array(
    select m.id from assignment.outbox m where not m.is_addressed order by m.id limit p_limit for update skip locked
  );
  if v_ids = '{}' then
    return 0;
  end if;
  insert into assignment.deliveries (endpoint_id, message_id)
  select e.id, m.id
  from assignment.outbox m
  join assignment.webhook_endpoints e
    on e.url is not null
    and case
      when m.is_test_for is not null then e.id = m.is_test_for
      else e.enabled and m.type = any (e.types)
    end
  where m.id = any (v_ids)
  order by e.id, m.id
  on conflict (endpoint_id, message_id) do nothing;
  update assignment.outbox set is_addressed = true where id = any (v_ids);
  return cardinality(v_ids);
end;
$$;

revoke execute on function assignment.address_messages(integer) from public;
comment on function assignment.address_messages(integer) is
  'Makes the deliveries of up to p_limit new messages, and returns of how many. Several sessions may call it at once.';

-- migrate:down
drop function if exists assignment.address_messages(integer);
