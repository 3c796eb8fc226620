-- Tells how many of the next members a trainer can be given.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.count_turns(p_trainer_id uuid, p_room integer, p_members integer)
  returns integer
  immutable
  parallel safe
  language sql
return least(p_room, p_members);

revoke execute on function assignment.count_turns(uuid, integer, integer) from public;
comment on function assignment.count_turns(uuid, integer, integer) is
  'How many of p_members a trainer with so much room can be given. p_room null: no limit.';

-- migrate:down
drop function if exists assignment.count_turns(uuid, integer, integer);
