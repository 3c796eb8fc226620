-- The choice of trainer for a member who comes without one, in one place.
-- Here as in every function that may run with the owner's rights, search_path names pg_temp last. Unnamed it is searched
-- first, and a caller's temporary type called uuid or text, whose check calls a function of theirs, would run it as the owner.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.default_trainer_id()
  returns uuid
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_trainer_id uuid;
begin
  select default_trainer_id into v_trainer_id from assignment.settings;
  if v_trainer_id is null then
    perform assignment.require_visible_rows();
    raise exception 'no default trainer is configured'
      using errcode = 'TA001', hint = 'Set one: PUT /v1/settings {"defaultTrainerId": "…"}';
  end if;
  return v_trainer_id;
end;
$$;

revoke execute on function assignment.default_trainer_id() from public;
comment on function assignment.default_trainer_id() is 'The trainer who gets new members. Raises TA001 when there is none.';

-- migrate:down
drop function if exists assignment.default_trainer_id();
