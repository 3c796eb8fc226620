-- The errors of a run that are shown with it.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.first_errors(p_run_id uuid)
  returns jsonb
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  return (
    select coalesce(
      jsonb_agg(jsonb_build_object('memberId', e.member_id, 'code', e.sqlstate, 'message', e.message) order by e.member_id),
      '[]'
    )
    from (
      select f.member_id, f.sqlstate, f.message
      from assignment.backfill_errors f
      where f.run_id = p_run_id
      order by f.member_id
      limit 20
    ) as e
  );
end;
$$;

revoke execute on function assignment.first_errors(uuid) from public;
comment on function assignment.first_errors(uuid) is
  'The first 20 members that a run could not assign, by id, each with the code and the message.';

-- migrate:down
drop function if exists assignment.first_errors(uuid);
