-- Writes messages to the outbox, in the transaction of the change: the only place that does.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.announce(
  p_type text,
  p_assignment_ids uuid[] default null,
  p_member_ids uuid[] default null,
  p_run_id uuid default null,
  p_policy_version integer default null
)
  returns boolean
  volatile
  set search_path = pg_catalog, pg_temp
  set jit = off
  language plpgsql
as $$
begin
  if not assignment.is_wanted(p_type) then
    return true;
  end if;
  if p_assignment_ids is null and p_member_ids is null then
    insert into assignment.outbox (type, run_id, policy_version) values (p_type, p_run_id, p_policy_version);
    return true;
  end if;
  insert into assignment.outbox (type, assignment_ids, member_ids)
  select
    p_type,
    case when p_assignment_ids is not null then array_agg(i.id order by i.place) end,
    case when p_member_ids is not null then array_agg(i.id order by i.place) end
  from unnest(coalesce(p_assignment_ids, p_member_ids)) with ordinality as i (id, place)
  group by (i.place - 1) / 500;
  return true;
exception when others or assert_failure then
  begin
    insert into assignment.outbox_gaps (type, assignment_ids, member_ids, run_id, policy_version, message)
    values (p_type, p_assignment_ids, p_member_ids, p_run_id, p_policy_version, left(sqlerrm, 1000));
  exception when others or assert_failure then
    raise warning 'trainer assignment: no message tells of %: %', p_type, sqlerrm
      using hint = 'Consumers of webhooks do not hear of this change.';
  end;
  return false;
end;
$$;

revoke execute on function assignment.announce(text, uuid[], uuid[], uuid, integer) from public;
comment on function assignment.announce(text, uuid[], uuid[], uuid, integer) is
  'Writes messages of a type, of up to 500 ids each, if an enabled endpoint wants them. Never raises: false
where they could not be written, which is recorded in outbox_gaps.';

-- migrate:down
drop function if exists assignment.announce(text, uuid[], uuid[], uuid, integer);
