-- Seats follow assignments that end, start again or are deleted on shards, by the service or by anyone else.

create function assignment.keep_seats(p_argument jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_taken uuid[] := array(select jsonb_array_elements_text(p_argument -> 'taken')::uuid);
  v_freed uuid[] := array(select jsonb_array_elements_text(p_argument -> 'freed')::uuid);
begin
  if exists (select from assignment.trainers t where t.capacity is not null) then
    perform assignment.overbook_seats(v_taken, assignment.claim_seats_here(v_taken));
    perform assignment.give_back_seats(v_freed);
  end if;
end;
$$;

create function assignment.keep_seats_by_name(p_place uuid, p_change jsonb)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  execute format(
    'with changed as (
       select id::uuid as trainer_id, true as is_taken from jsonb_array_elements_text($2 -> ''taken'') as id
       union all
       select id::uuid, false from jsonb_array_elements_text($2 -> ''freed'') as id
     ),
     added as (
       insert into assignment.seats_%s (place, trainer_id, is_overbooked)
       select $1, t.trainer_id, c.is_taken
       from changed c
       join assignment.trainers_%s t on t.trainer_id = c.trainer_id
       where t.capacity is not null
       returning trainer_id, is_overbooked
     )
     insert into assignment.seat_changes_%s (place, trainer_id, is_given_back)
     select $1, a.trainer_id, not a.is_overbooked
     from added a',
    get_shard_id_for_distribution_column('assignment.seats'::regclass, p_place),
    (select s.shardid from pg_dist_shard s where s.logicalrelid = 'assignment.trainers'::regclass),
    get_shard_id_for_distribution_column('assignment.seat_changes'::regclass, p_place)
  )
  using p_place, p_change;
end;
$$;

comment on function assignment.keep_seats_by_name(uuid, jsonb) is
  'As keep_seats, in the place of p_place, without the functions of its shard. It takes no free seat: reopen_trainers sets
those off.';

create or replace function assignment.tg_trainer_client_assignments__keep_seats()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_before uuid[] := array(select o.trainer_id from old_rows o where o.status = 'active' and o.trainer_id is not null);
  v_after uuid[] := '{}';
  v_change jsonb;
begin
  if tg_op = 'UPDATE' then
    v_after := array(select n.trainer_id from new_rows n where n.status = 'active' and n.trainer_id is not null);
  end if;
  v_change := jsonb_build_object(
    'taken', array(select unnest(v_after) except all select unnest(v_before)),
    'freed', array(select unnest(v_before) except all select unnest(v_after))
  );
  if v_change <> '{"taken": [], "freed": []}' then
    begin
      perform assignment.on_shard(tg_relid, 'keep_seats', v_change);
    exception when others or assert_failure then  -- such as: another session is making the functions of the shard
      perform assignment.keep_seats_by_name((select o.client_id from old_rows o limit 1), v_change);
    end;
  end if;
  return null;  -- ignored for an after trigger
exception when others or assert_failure then
  raise warning 'trainer assignment: seats are out of step: %', sqlerrm
    using hint = 'The scheduled reconciliation repairs them; select assignment.settle_all_seats() does so now.';
  return null;
end;
$$;
