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
  'Counts of a batch: newly assigned; already assigned; assigned once and ended since; the trainer; no longer existing.
Then the members that failed.';

-- migrate:down
drop type if exists assignment.batch_result;
