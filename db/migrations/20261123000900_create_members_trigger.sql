-- Auto-assignment: a statement trigger assigns everybody who is inserted into members, whoever inserts them.
-- The comment is on the function, because only the owner of members could comment on the trigger; creating it needs only
-- the right TRIGGER.
-- Locks: share row exclusive on public.members (blocks writers briefly; given up after 5 s). Reversible; the down takes
-- access exclusive.

-- migrate:up
set local lock_timeout = '5s';

-- Without rules, the normal case is one statement in one sub-transaction, for speed: one for a single member, which needs no
-- sort and no count, one for several. If anything fails, an assignment that is already there included, the statement is undone
-- and assign_or_record tries again, slower and row by row. The short lock_timeout leaves time for that attempt.
-- With rules, the statements insert nothing, and assign_or_record assigns. It gets the rows from here, because the owner of
-- this function may not be allowed to read members.
create function assignment.tg_members__assign_trainer()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '50ms'
  language plpgsql
as $$
declare
  v_member_ids uuid[];
  v_rows jsonb[];
  v_assigned bigint;
  v_timezone text;
  v_float_digits text;
begin
  begin
    insert into public.trainer_client_assignments (trainer_id, client_id, source, assigned_by, policy_version)
    select s.default_trainer_id, m.id, 'trigger', 'trigger', s.policy_version
    from new_members m
    cross join assignment.settings s
    where not s.needs_choice
      and not exists (select from new_members offset 1);
    if found then
      return null;  -- ignored for an after trigger
    end if;

    insert into public.trainer_client_assignments (trainer_id, client_id, source, assigned_by, policy_version)
    select s.default_trainer_id, m.id, 'trigger', 'trigger', s.policy_version
    from new_members m
    cross join assignment.settings s
    where m.id is not null  -- id is unique, but not always a primary key
      and not s.needs_choice
    order by m.id;

    get diagnostics v_assigned = row_count;
    if v_assigned = (select count(id) from new_members) then
      return null;
    end if;
    if v_assigned > 0 then
      raise exception 'not all of them were assigned';
    end if;
  exception when others or assert_failure then
    null;
  end;

  begin
    if (select needs_choice from assignment.settings)
      and not exists (  -- in transition tables, virtual generated columns are null
        select from pg_attribute a where a.attrelid = tg_relid and a.attgenerated = 'v'
      )
    then
      v_timezone := current_setting('timezone');
      v_float_digits := current_setting('extra_float_digits');
      perform set_config('timezone', 'UTC', true), set_config('extra_float_digits', '1', true);
      begin
        v_rows := array(select to_jsonb(m) from new_members m where m.id is not null order by m.id);
      exception when data_exception then
        v_rows := array(select assignment.as_jsonb(to_json(m)) from new_members m where m.id is not null order by m.id);
      end;
      perform set_config('timezone', v_timezone, true), set_config('extra_float_digits', v_float_digits, true);
    end if;
  exception when others or assert_failure then
    null;  -- assign_or_record then reads the rows itself, or records why it cannot
  end;

  begin
    v_member_ids := array(select id from new_members where id is not null order by id);
    if cardinality(v_member_ids) > 0 then
      perform assignment.assign_or_record(v_member_ids, 'trigger', p_rows => v_rows);
    end if;
  exception when others or assert_failure then
    raise warning 'trainer assignment: new members are neither assigned nor recorded as failed: %', sqlerrm
      using hint = 'The scheduled reconciliation assigns them; POST /v1/backfills does so now.';
  end;
  return null;
end;
$$;

revoke execute on function assignment.tg_members__assign_trainer() from public;
comment on function assignment.tg_members__assign_trainer() is
  'Assigns the members that one INSERT statement added as the policy says. Records whatever goes wrong for a retry, and
never makes the insert fail.';

create trigger members_assign_trainer_after_insert
  after insert on public.members
  referencing new table as new_members
  for each statement
  execute function assignment.tg_members__assign_trainer();

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its trigger too. Only the owner of members could drop the trigger by name.
drop function if exists assignment.tg_members__assign_trainer() cascade;
