-- How many members a trainer gets.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.trainer_count as (trainer_id uuid, members integer);

comment on type assignment.trainer_count is 'A trainer, and a number of members given to that trainer.';

-- migrate:down
drop type if exists assignment.trainer_count;
