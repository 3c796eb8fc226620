-- The counts that assign_members returns.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.batch_result as (
  successful integer,
  already_assigned integer,
  ended integer,
  is_trainer integer,
  member_gone integer,
  failures assignment.member_failure[]
);

comment on type assignment.batch_result is
  'What became of a batch of members: assigned; had an active assignment; had one that was ended; are the trainer; are gone; failed.';

-- migrate:down
drop type if exists assignment.batch_result;
