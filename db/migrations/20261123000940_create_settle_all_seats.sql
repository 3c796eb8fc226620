-- Repairs seats that are out of step. Each reconciliation calls it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.settle_all_seats()
  returns table (trainer_id uuid, missing integer)
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language plpgsql
as $$
declare
  v_trainer_id uuid;
begin
  for v_trainer_id in
    select t.trainer_id from assignment.trainers t where t.capacity is not null
    union
    select s.trainer_id from assignment.seats s
    order by 1
  loop
    trainer_id := v_trainer_id;
    missing := assignment.settle_seats(v_trainer_id);
    if missing <> 0 then
      return next;
    end if;
  end loop;
end;
$$;

revoke execute on function assignment.settle_all_seats() from public;
comment on function assignment.settle_all_seats() is
  'Repairs the seats of all trainers. Returns the trainers whose seats were out of step, and by how many.';

-- migrate:down
drop function if exists assignment.settle_all_seats();
