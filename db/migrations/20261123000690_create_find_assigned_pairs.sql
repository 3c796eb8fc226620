-- Finds pairs of member and trainer that have an active assignment.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_assigned_pairs(p_member_ids uuid[], p_trainer_ids uuid[])
  returns integer[]
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  select coalesce(array_agg(p.position::integer order by p.position), '{}')
  from unnest(p_member_ids, p_trainer_ids) with ordinality as p (member_id, trainer_id, position)
  where exists (
    select
    from public.trainer_client_assignments a
    where a.client_id = p.member_id
      and a.trainer_id is not distinct from p.trainer_id  -- unlike =, keeps the planner from the index by trainer
      and a.status = 'active'
  )
$$;

revoke execute on function assignment.find_assigned_pairs(uuid[], uuid[]) from public;
comment on function assignment.find_assigned_pairs(uuid[], uuid[]) is
  'The positions of the pairs that have an active assignment.';

-- migrate:down
drop function if exists assignment.find_assigned_pairs(uuid[], uuid[]);
