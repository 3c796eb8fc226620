-- Weighted rendezvous hashing: a member goes to the trainer with the lowest score. It needs no state, gives each trainer a
-- share proportional to the weight, and moves nobody else when a trainer is added or removed.
-- Without search_path, so that it is inlined; only its callers, which set one, may execute it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.rendezvous_score(p_member_id uuid, p_trainer_id uuid, p_weight integer)
  returns double precision
  immutable
  parallel safe
  language sql
as $$
  -- 53 bits of the hash, as a number between 0 and 1, both exclusive
  select -ln(
    (((hashtextextended(p_member_id::text || p_trainer_id::text, 0) >> 11) & 9007199254740991) + 1)::double precision
      / 9007199254740993
  ) / p_weight
$$;

revoke execute on function assignment.rendezvous_score(uuid, uuid, integer) from public;
comment on function assignment.rendezvous_score(uuid, uuid, integer) is
  'The score of a trainer for a member, above 0. The lowest wins.';

-- migrate:down
drop function if exists assignment.rendezvous_score(uuid, uuid, integer);
