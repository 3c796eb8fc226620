-- What assign_members returns.
-- Locks: none. Reversible.

-- migrate:up
create type assignment.pairs_result as (
  assigned integer[],
  full_pairs integer[],
  gone_ids uuid[],
  failures assignment.member_failure[]
);

comment on type assignment.pairs_result is
  'Of the given pairs of member and trainer, by position: those that were assigned, and those whose trainer has no room.
Then the members that no longer exist, and those that failed. All other pairs were assigned already.';

-- migrate:down
drop type if exists assignment.pairs_result;
