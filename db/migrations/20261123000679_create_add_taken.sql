-- Counts further seats as taken.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.add_taken(p_taken assignment.trainer_count[], p_trainer_ids uuid[])
  returns assignment.trainer_count[]
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select case when p_taken is not null then array(
    select row(t.trainer_id, sum(t.members))::assignment.trainer_count
    from (
      select taken.trainer_id, taken.members from unnest(p_taken) as taken
      union all
      select given.trainer_id, 1 from unnest(p_trainer_ids) as given (trainer_id)
    ) as t
    group by t.trainer_id
  ) end
$$;

revoke execute on function assignment.add_taken(assignment.trainer_count[], uuid[]) from public;
comment on function assignment.add_taken(assignment.trainer_count[], uuid[]) is
  'p_taken and one more for each item. Null remains null.';

-- migrate:down
drop function if exists assignment.add_taken(assignment.trainer_count[], uuid[]);
