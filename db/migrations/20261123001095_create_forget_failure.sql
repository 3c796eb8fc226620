-- Takes off the list of failures whom somebody has assigned by hand.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.forget_failure(p_member_id uuid, p_trainer_id uuid)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  -- Skips a locked failure: the retry that holds it finds the member assigned, and may be waiting for this transaction.
  delete from assignment.failures f
  where f.member_id = (select member_id from assignment.failures where member_id = p_member_id for update skip locked)
    and p_trainer_id = coalesce(f.requested_trainer_id, (select default_trainer_id from assignment.settings));
end;
$$;

revoke execute on function assignment.forget_failure(uuid, uuid) from public;
comment on function assignment.forget_failure(uuid, uuid) is
  'Deletes the failure of a member who now has the trainer that the failed attempt was for.';

-- migrate:down
drop function if exists assignment.forget_failure(uuid, uuid);
