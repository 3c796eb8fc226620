-- Explains to an operator which tables hide rows from this service, and how to change that.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.explain_hidden_rows(p_role name default current_user)
  returns text
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select format('row-level security hides rows of %s from %I: ', string_agg(name::text, ', ' order by name::text), p_role)
    || case
      when bool_or(is_members) then format(
        'give that role BYPASSRLS, or run as the owner of members: create policy %I on public.members for select to %I using (true)',
        left(p_role, 57) || '_reads', p_role
      )
      else 'run as the owner of the schema assignment: select assignment.grant_service(''…the role of the service…'')'
    end
  from (
    select name, false as is_members from assignment.own_tables() as own (name)
    union all
    select to_regclass('public.members'), true
  ) as used
  where assignment.hides_rows(name, p_role)
    and has_any_column_privilege(p_role, name, 'select')  -- what a role cannot read is not hidden from it
  having count(*) > 0
$$;

revoke execute on function assignment.explain_hidden_rows(name) from public;
comment on function assignment.explain_hidden_rows(name) is
  'Names the tables that hide rows from the role, and how to change that. Null: none does.';

-- migrate:down
drop function if exists assignment.explain_hidden_rows(name);
