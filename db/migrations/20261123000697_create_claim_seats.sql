-- Takes seats for clients of trainers with a capacity. It waits for no other transaction: a seat that another one has locked
-- counts as taken.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.claim_seats(p_trainer_ids uuid[])
  returns integer[]
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_without_seat integer[];
begin
  if not exists (
    select
    from assignment.trainers t
    where t.trainer_id = any (p_trainer_ids)
      and (t.capacity is not null or not t.accepts_clients)
  ) then
    return '{}';
  end if;

  with wanted as materialized (
    select
      p.position,
      t.trainer_id,
      t.accepts_clients,
      row_number() over (partition by t.trainer_id order by p.position) as place
    from unnest(p_trainer_ids) with ordinality as p (trainer_id, position)
    join assignment.trainers t on t.trainer_id = p.trainer_id
    where t.capacity is not null
      or not t.accepts_clients
  ),
  free as materialized (
    select found.trainer_id, found.seat
    from (
      select w.trainer_id, count(*) as places
      from wanted w
      where w.accepts_clients
      group by w.trainer_id
      order by w.trainer_id
    ) as asked
    cross join lateral (
      select s.trainer_id, s.seat
      from assignment.seats s
      where s.trainer_id = asked.trainer_id
        and not s.is_overbooked
        and not exists (select from assignment.seats o where o.trainer_id = asked.trainer_id and o.is_overbooked)
      order by s.seat
      limit asked.places
      for update skip locked
    ) as found
  ),
  taken as (
    delete from assignment.seats s
    using free f
    where s.trainer_id = f.trainer_id
      and not s.is_overbooked
      and s.seat = f.seat
    returning s.trainer_id
  ),
  counted as (
    select t.trainer_id, count(*) as seats from taken t group by t.trainer_id
  )
  select coalesce(array_agg(w.position::integer order by w.position), '{}')
  into v_without_seat
  from wanted w
  left join counted c on c.trainer_id = w.trainer_id
  where w.place > coalesce(c.seats, 0);
  return v_without_seat;
end;
$$;

revoke execute on function assignment.claim_seats(uuid[]) from public;
comment on function assignment.claim_seats(uuid[]) is
  'Takes one seat for each item whose trainer has a capacity. Returns the positions of the items that got none: the trainer
has no room, or accepts no clients.';

-- migrate:down
drop function if exists assignment.claim_seats(uuid[]);
