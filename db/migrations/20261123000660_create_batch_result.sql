-- The counts of a batch of members that was assigned.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.batch_result as (
  successful integer,
  already_assigned integer,
  ended integer,
  is_trainer integer,
  member_gone integer,
  excluded integer,
  not_selected integer,
  failures assignment.member_failure[],
  choices assignment.choice_count[]
);

comment on type assignment.batch_result is
  'Counts of a batch: newly assigned; already assigned; assigned once and ended since; the trainer; no longer existing;
left alone by a rule; not concerned by a transfer. Then the members that failed, and whom the policy gave the newly
assigned to (null: the trainer was named).';

-- migrate:down
drop type if exists assignment.batch_result;
