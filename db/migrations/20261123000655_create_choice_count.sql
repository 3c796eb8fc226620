-- How many members a rule gave to a trainer.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.choice_count as (rule smallint, trainer_id uuid, members integer);

comment on type assignment.choice_count is
  'A rule (0: the default trainer), a trainer, and the number of members whom the rule gave to the trainer.';

-- migrate:down
drop type if exists assignment.choice_count;
