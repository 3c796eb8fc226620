-- Removes what is kept of deleted members, and records that members were deleted.
-- Locks: share row exclusive on public.members (given up after 5 s). Reversible.

-- migrate:up
set local lock_timeout = '5s';

create function assignment.tg_members__forget()
  returns trigger
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '250ms'
  language plpgsql
as $$
declare
  v_ids uuid[];
begin
  v_ids := array(select id from old_members where id is not null);
  if v_ids = '{}' then
    return null;  -- ignored for an after trigger
  end if;
  begin
    perform assignment.forget_members(v_ids);
  exception when others or assert_failure then
    raise warning 'trainer assignment: something is still kept of % deleted members: %', cardinality(v_ids), sqlerrm
      using hint = 'The scheduled reconciliation removes it.';
  end;
  perform assignment.record_audit(null, 'members.deleted', p_after => jsonb_build_object('members', cardinality(v_ids)));
  return null;
exception when others or assert_failure then
  raise warning 'trainer assignment: the deletion of % members is not in the audit log: %', cardinality(v_ids), sqlerrm;
  return null;
end;
$$;

revoke execute on function assignment.tg_members__forget() from public;
comment on function assignment.tg_members__forget() is
  'Forgets the members that one DELETE statement removed, and adds members.deleted to the audit log, with their number only.
Never makes the statement fail.';

create trigger members_forget_after_delete
  after delete on public.members
  referencing old table as old_members
  for each statement
  execute function assignment.tg_members__forget();

-- migrate:down
set local lock_timeout = '5s';

-- Dropping the function drops its trigger, even where the table is already gone.
drop function if exists assignment.tg_members__forget() cascade;
