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
