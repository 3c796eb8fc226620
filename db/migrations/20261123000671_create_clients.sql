-- Clients of the trainer whom a transfer leaves, and the assignments that it ends.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.clients as (member_ids uuid[], assignment_ids uuid[], notes text[]);

comment on type assignment.clients is 'Clients of one trainer, each with the active assignment and its notes, in the order of the members.';

-- migrate:down
drop type if exists assignment.clients;
