-- One member who could not be assigned: the form in which functions pass failures to each other.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.member_failure as (member_id uuid, sqlstate text, message text, rule smallint);

comment on type assignment.member_failure is
  'A member who could not be assigned, with the error. rule: the rule without room (0: the default trainer); null: another
error.';

-- migrate:down
drop type if exists assignment.member_failure;
