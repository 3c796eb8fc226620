-- Finds members who have a trainer, and keeps it so until the transaction ends: what they had before can then be ended.
-- Locks: none by the migration. The function takes share on rows of trainer_client_assignments. Reversible.

-- migrate:up
create function assignment.lock_assigned(p_member_ids uuid[], p_trainer_ids uuid[], p_from_trainer_id uuid default null)
  returns uuid[]
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  select array(
    select a.client_id
    from unnest(p_member_ids, p_trainer_ids) as p (member_id, trainer_id)
    join public.trainer_client_assignments a
      on a.client_id = p.member_id
      and a.trainer_id is not distinct from coalesce(p.trainer_id, a.trainer_id)  -- keeps the planner from the index by trainer
      and a.trainer_id is distinct from p_from_trainer_id
      and a.status = 'active'
    order by a.client_id, a.id
    for share of a
  )
$$;

revoke execute on function assignment.lock_assigned(uuid[], uuid[], uuid) from public;
comment on function assignment.lock_assigned(uuid[], uuid[], uuid) is
  'Of pairs of member and trainer, the members of those that have an active assignment, which is locked. Trainer null: anyone
but p_from_trainer_id. Waits up to lock_timeout.';

-- migrate:down
drop function if exists assignment.lock_assigned(uuid[], uuid[], uuid);
