-- One decision of choose_trainers.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.choice as (member_id uuid, trainer_id uuid, rule smallint, outcome text);

comment on type assignment.choice is
  'What the policy says of one member. rule null: the default trainer. outcome:
assign: trainer_id was chosen (a rule that chooses all gives one row for each trainer);
excluded: the rule chooses nobody;
already_assigned: the member has an active assignment that meets the policy;
ended: an assignment that met the rule was ended, and is not replaced;
is_trainer: the member is the default trainer;
no_room: the rule, or the default trainer, has no room;
kept: trainer_id is an active assignment that meets the policy (only when reassigning, one row for each).';

-- migrate:down
drop type if exists assignment.choice;
