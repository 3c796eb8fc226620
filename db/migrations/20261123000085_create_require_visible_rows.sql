-- Stops work that would treat hidden rows as missing ones.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.require_visible_rows()
  returns void
  stable
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_reason text := assignment.explain_hidden_rows();
begin
  if v_reason is not null then
    raise exception '%', v_reason using errcode = 'TA010';
  end if;
end;
$$;

revoke execute on function assignment.require_visible_rows() from public;
comment on function assignment.require_visible_rows() is
  'Raises TA010 when row-level security hides rows from the current role. In a security definer function, the
current role is the owner.';

-- migrate:down
drop function if exists assignment.require_visible_rows();
