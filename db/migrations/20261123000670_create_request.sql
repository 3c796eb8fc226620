-- What is asked for when members are assigned: by whom, for what, to whom.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.request as (
  purpose text,
  source text,
  actor text,
  trainer_id uuid,
  policy_version integer,
  from_trainer_id uuid,
  run_id uuid,
  notes text,
  by_force boolean
);

comment on type assignment.request is
  'What is asked for when members are assigned. purpose:
first: the members are new, and have no assignments;
fill: they get what they lack; an assignment that they have, or had, stays as it is;
reassign: besides, what the policy chose and would no longer choose is replaced;
transfer: their assignments to from_trainer_id are replaced.
source, actor, run_id and notes go into the new rows. trainer_id null: the policy chooses, by policy_version (null: the one in
force). by_force: beyond the capacity.';

-- migrate:down
drop type if exists assignment.request;
