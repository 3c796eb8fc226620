-- Counts whom a run gave to which trainer, by which rule.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.record_choices(p_lane assignment.backfill_lanes, p_choices assignment.choice_count[])
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  insert into assignment.backfill_choices (run_id, lane, rule, trainer_id, members)
  select p_lane.run_id, p_lane.lane, c.rule, c.trainer_id, c.members
  from unnest(p_choices) as c
  on conflict (run_id, lane, rule, trainer_id) do update set members = backfill_choices.members + excluded.members;
end;
$$;

revoke execute on function assignment.record_choices(assignment.backfill_lanes, assignment.choice_count[]) from public;
comment on function assignment.record_choices(assignment.backfill_lanes, assignment.choice_count[]) is
  'Adds the choices of a batch to those of the lane.';

-- migrate:down
drop function if exists assignment.record_choices(assignment.backfill_lanes, assignment.choice_count[]);
