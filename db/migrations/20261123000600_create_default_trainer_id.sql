-- Returns the default trainer, for functions that assign members whom no rule takes.
-- This function, like every other that may run with its owner's rights, puts pg_temp last in search_path. If it is not
-- listed, PostgreSQL searches it first: a caller could create a temporary type uuid whose check runs as the owner.
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
      using errcode = 'TA001', hint = 'Set one: PUT /v1/policy {"defaultTrainerId": "…"}';
  end if;
  return v_trainer_id;
end;
$$;

revoke execute on function assignment.default_trainer_id() from public;
comment on function assignment.default_trainer_id() is 'The trainer of new members. Raises TA001 when none is set.';

-- migrate:down
drop function if exists assignment.default_trainer_id();
