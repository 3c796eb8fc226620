-- Finds out what a sample of the members may not take: it finds the same share of the free seats as of the members.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.count_unsampled_seats(p_percent real)
  returns assignment.trainer_count[]
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select array(
    select row(s.trainer_id, floor(count(*) * (1 - p_percent / 100)))::assignment.trainer_count
    from assignment.seats s
    where not s.is_overbooked
    group by s.trainer_id
  )
$$;

revoke execute on function assignment.count_unsampled_seats(real) from public;
comment on function assignment.count_unsampled_seats(real) is
  'The free seats of each trainer that are not for a sample of p_percent of the members.';

-- migrate:down
drop function if exists assignment.count_unsampled_seats(real);
