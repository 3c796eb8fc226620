-- Makes the seats of one trainer match the capacity and the active clients.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.settle_seats(p_trainer_id uuid)
  returns integer
  volatile
  set search_path = pg_catalog, pg_temp
  set enable_seqscan = off  -- prevents a full scan on stale statistics
  set jit = off
  language plpgsql
as $$
declare
  v_capacity integer;
  v_missing integer;
  v_changed integer;
  v_left integer;
begin
  select capacity into v_capacity from assignment.trainers where trainer_id = p_trainer_id for update;
  if v_capacity is null then
    delete from assignment.seats where trainer_id = p_trainer_id;
    return 0;
  end if;

  -- One statement: in its snapshot, every assignment is there together with its seat.
  select v_capacity - clients.count - free.count + overbooked.count
  into v_missing
  from
    (
      select count(*)::integer
      from public.trainer_client_assignments
      where trainer_id = p_trainer_id
        and status = 'active'
    ) as clients,
    (select count(*)::integer from assignment.seats where trainer_id = p_trainer_id and not is_overbooked) as free,
    (select count(*)::integer from assignment.seats where trainer_id = p_trainer_id and is_overbooked) as overbooked;

  -- First those of the other kind go. A seat that a signup is just taking is left alone. An array is looked up once; a
  -- subquery may be looked up again for each row, and lock as many again.
  delete from assignment.seats
  where trainer_id = p_trainer_id
    and is_overbooked = (v_missing > 0)
    and seat = any (array(
      select seat
      from assignment.seats
      where trainer_id = p_trainer_id
        and is_overbooked = (v_missing > 0)
      order by seat
      limit abs(v_missing)
      for update skip locked
    ));
  get diagnostics v_changed = row_count;
  v_left := abs(v_missing) - v_changed;
  insert into assignment.seats (trainer_id, is_overbooked)
  select p_trainer_id, v_missing < 0
  from generate_series(1, v_left);
  return v_missing;
end;
$$;

revoke execute on function assignment.settle_seats(uuid) from public;
comment on function assignment.settle_seats(uuid) is
  'Makes the seats of a trainer match: free minus overbooked = capacity minus active clients. Returns by how many seats they
were too few (negative: too many). Without a capacity, removes all.';

-- migrate:down
drop function if exists assignment.settle_seats(uuid);
