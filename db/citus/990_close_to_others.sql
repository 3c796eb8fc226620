-- As the migrations do for theirs; functions are closed by the program, which knows those that were open before.

revoke all on
  assignment.runs_by_policy,
  assignment.backfill_places,
  assignment.nodes,
  assignment.places,
  assignment.full_trainers,
  assignment.seat_changes,
  assignment.known_trainers,
  assignment.trainers_looked_up,
  assignment.notes,
  assignment.wishes,
  assignment.witness
from public;
select assignment.close_table('assignment.runs_by_policy');
select assignment.close_table('assignment.backfill_places');
select assignment.close_table('assignment.nodes');
select assignment.close_table('assignment.places');
select assignment.close_table('assignment.full_trainers');
select assignment.close_table('assignment.seat_changes');
select assignment.close_table('assignment.known_trainers');
select assignment.close_table('assignment.trainers_looked_up');
select assignment.close_table('assignment.notes');
select assignment.close_table('assignment.wishes');
select assignment.close_table('assignment.witness');

-- What was there when our tables were distributed is in the shards: see 010.
select truncate_local_data_after_distributing_table(p.logicalrelid)
from pg_dist_partition p
where (p.logicalrelid = 'public.trainer_client_assignments'::regclass or p.logicalrelid in (
    select c.oid from pg_class c where c.relnamespace = 'assignment'::regnamespace
  ))
  and pg_relation_size(p.logicalrelid) > 0;
