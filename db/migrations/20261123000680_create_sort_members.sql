-- Sorts a batch of members: the ids that need an assignment, and counts of the others.
-- The ids come in key order, because batches that insert the same keys in different orders deadlock.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.sort_members(
  p_member_ids uuid[],
  p_trainer_id uuid,
  out unassigned uuid[],
  out already_assigned integer,
  out ended integer,
  out is_trainer integer
)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off  -- compiling takes longer than thousands of short look-ups
  language sql
as $$
  select
    coalesce(array_agg(asked.id order by asked.id) filter (where known is null and asked.id <> p_trainer_id), '{}'),
    count(*) filter (where known.is_active),
    count(*) filter (where not known.is_active),
    count(*) filter (where asked.id = p_trainer_id)
  from (select distinct unnest(p_member_ids) as id) as asked
  left join lateral (
    select a.status = 'active' as is_active
    from public.trainer_client_assignments a
    where a.client_id = asked.id
      and a.trainer_id is not distinct from p_trainer_id  -- unlike =, keeps the planner from the index by trainer
    order by a.status
    limit 1
  ) as known on true
$$;

revoke execute on function assignment.sort_members(uuid[], uuid) from public;
comment on function assignment.sort_members(uuid[], uuid) is
  'The given members without any assignment to the trainer, active or ended, in key order; and counts of the others.';

-- migrate:down
drop function if exists assignment.sort_members(uuid[], uuid);
