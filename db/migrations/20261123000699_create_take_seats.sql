-- Takes seats for clients who are assigned in any case, beyond the capacity where it must be.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.take_seats(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  insert into assignment.seats (trainer_id, is_overbooked)
  select t.trainer_id, true
  from unnest(assignment.claim_seats(p_trainer_ids)) as without (position)
  join assignment.trainers t on t.trainer_id = p_trainer_ids[without.position]
  where t.capacity is not null
$$;

revoke execute on function assignment.take_seats(uuid[]) from public;
comment on function assignment.take_seats(uuid[]) is
  'Takes one seat for each item. Where a trainer has none left, the client counts as overbooked.';

-- migrate:down
drop function if exists assignment.take_seats(uuid[]);
