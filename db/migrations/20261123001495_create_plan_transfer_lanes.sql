-- Cuts the active assignments of a trainer into ranges of equally many.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.plan_transfer_lanes(p_from_trainer_id uuid, p_max_lanes integer default 16)
  returns table (lane smallint, next_id uuid, upper_id uuid, includes_upper boolean, clients bigint)
  stable
  set search_path = pg_catalog, pg_temp
  set jit = off
  language sql
as $$
  with total as materialized (
    select count(*) as clients
    from public.trainer_client_assignments a
    where a.trainer_id = p_from_trainer_id
      and a.status = 'active'
  ),
  starts as (  -- at least 10,000 clients for each lane
    select n.id
    from (
      select a.id, row_number() over (order by a.id) - 1 as place
      from public.trainer_client_assignments a
      where a.trainer_id = p_from_trainer_id
        and a.status = 'active'
    ) as n
    cross join total t
    where n.place % ceil(t.clients::numeric / greatest(1, least(p_max_lanes, t.clients / 10000))) = 0
  ),
  latest as (
    select a.id
    from public.trainer_client_assignments a
    where a.trainer_id = p_from_trainer_id
      and a.status = 'active'
    order by a.id desc
    limit 1
  )
  select
    (row_number() over by_id)::smallint,
    s.id,
    coalesce(lead(s.id) over by_id, l.id),
    lead(s.id) over by_id is null,
    t.clients
  from starts s
  cross join latest l
  cross join total t
  window by_id as (order by s.id)
$$;

revoke execute on function assignment.plan_transfer_lanes(uuid, integer) from public;
comment on function assignment.plan_transfer_lanes(uuid, integer) is
  'Up to p_max_lanes ranges of the ids of a trainer''s active assignments, each with the number of all clients. None without
clients.';

-- migrate:down
drop function if exists assignment.plan_transfer_lanes(uuid, integer);
