-- Finds out which trainers can be given clients, and how many.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_room(
  p_trainer_ids uuid[],
  p_full uuid[],
  p_taken assignment.trainer_count[],
  p_most integer
)
  returns table (trainer_id uuid, capacity integer, room integer)
  stable
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language sql
as $$
  select asked.id, t.capacity, case
    when t.capacity is not null and p_taken is not null
    then greatest(0, least(p_most, seats.free - coalesce(taken.members, 0)))
  end
  from unnest(p_trainer_ids) as asked (id)
  left join assignment.trainers t on t.trainer_id = asked.id
  left join unnest(p_taken) as taken on taken.trainer_id = asked.id
  left join lateral (
    select count(*)::integer as free
    from (
      select
      from assignment.seats s
      where s.trainer_id = asked.id
        and not s.is_overbooked
        and not exists (select from assignment.seats o where o.trainer_id = asked.id and o.is_overbooked)
      limit p_most + coalesce(taken.members, 0)
    ) as found
    where t.capacity is not null
  ) as seats on true
  where coalesce(t.accepts_clients, true)
    and asked.id <> all (p_full)
$$;

revoke execute on function assignment.find_room(uuid[], uuid[], assignment.trainer_count[], integer) from public;
comment on function assignment.find_room(uuid[], uuid[], assignment.trainer_count[], integer) is
  'The trainers among those given that accept clients, each with its free seats, counted up to p_most. room null: no limit.
p_full: trainers to leave out. p_taken: seats to count as taken; null: ignores capacities.';

-- migrate:down
drop function if exists assignment.find_room(uuid[], uuid[], assignment.trainer_count[], integer);
