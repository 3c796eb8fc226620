-- Lets a role see all rows of a table, for the day on which somebody enables row-level security there.
-- All roles admitted by the same rule share one policy: a second role is added to the existing policy.
-- Locks: none by the migration. The function takes access exclusive on the table. Reversible.

-- migrate:up
create function assignment.admit(p_table regclass, p_role name, p_policy name, p_command text)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_roles oid[];
  v_names text;
begin
  select polroles into v_roles from pg_policy where polrelid = p_table and polname = p_policy;
  if v_roles is null then
    execute format('create policy %I on %s for %s to %I using (true)', p_policy, p_table, p_command, p_role);
  elsif not (select oid = any (v_roles) from pg_roles where rolname = p_role) then
    select string_agg(quote_ident(rolname), ', ' order by rolname) into v_names
    from pg_roles
    where oid = any (v_roles) or rolname = p_role;
    execute format('alter policy %I on %s to %s', p_policy, p_table, v_names);
  end if;
end;
$$;

revoke execute on function assignment.admit(regclass, name, name, text) from public;
comment on function assignment.admit(regclass, name, name, text) is
  'Lets a role see every row (p_command select), or also change it (all), when row-level security is on.
It grants no rights.';

-- migrate:down
drop function if exists assignment.admit(regclass, name, name, text);
