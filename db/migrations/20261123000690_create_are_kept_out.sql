-- Tells whether the application kept rows out that assign_members inserted.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.are_kept_out(p_member_ids uuid[], p_trainer_ids uuid[])
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set plan_cache_mode = force_custom_plan
  set jit = off
  language sql
as $$
  select exists (
    select
    from unnest(p_member_ids, p_trainer_ids) as p (member_id, trainer_id)
    where not exists (
      select
      from public.trainer_client_assignments a
      where a.client_id = p.member_id
        and a.trainer_id is not distinct from p.trainer_id  -- unlike =, keeps the planner from the index by trainer
    )
  )
$$;

revoke execute on function assignment.are_kept_out(uuid[], uuid[]) from public;
comment on function assignment.are_kept_out(uuid[], uuid[]) is
  'Whether any of the pairs of member and trainer has no assignment, neither active nor ended.';

-- migrate:down
drop function if exists assignment.are_kept_out(uuid[], uuid[]);
