-- Gives back seats of trainers with a capacity.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.give_back_seats(p_trainer_ids uuid[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language sql
as $$
  with given as (
    select t.trainer_id, count(*) as seats
    from unnest(p_trainer_ids) as p (trainer_id)
    join assignment.trainers t on t.trainer_id = p.trainer_id
    where t.capacity is not null
    group by t.trainer_id
  ),
  surplus as materialized (  -- looked up once: whoever looks again locks as many again
    select found.trainer_id, found.seat
    from given g
    cross join lateral (
      select o.trainer_id, o.seat
      from assignment.seats o
      where o.trainer_id = g.trainer_id
        and o.is_overbooked
      order by o.seat
      limit g.seats
      for update skip locked
    ) as found
  ),
  cancelled as (  -- clients beyond the capacity leave no free seat
    delete from assignment.seats s
    using surplus x
    where s.trainer_id = x.trainer_id
      and s.is_overbooked
      and s.seat = x.seat
    returning s.trainer_id
  )
  insert into assignment.seats (trainer_id)
  select g.trainer_id
  from given g
  cross join lateral generate_series(1, g.seats - (select count(*) from cancelled c where c.trainer_id = g.trainer_id))
$$;

revoke execute on function assignment.give_back_seats(uuid[]) from public;
comment on function assignment.give_back_seats(uuid[]) is
  'Gives back one seat for each item. Ignores trainers without a capacity.';

-- migrate:down
drop function if exists assignment.give_back_seats(uuid[]);
