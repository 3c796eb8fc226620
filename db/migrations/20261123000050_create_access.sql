-- Who sees and changes our tables: whatever a database grants by default is taken back, and row-level security, whoever
-- switches it on, hides nothing from the owner and from the service.
-- Locks: none (the policies take access exclusive on the table that they are made for). Reversible.

-- migrate:up
create function assignment.own_tables()
  returns setof regclass
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select oid::regclass
  from pg_class
  where relkind in ('r', 'p')
    and (relnamespace = to_regnamespace('assignment') or oid = to_regclass('public.trainer_client_assignments'))
  order by oid::regclass::text
$$;

-- Public has execute on every function by default: that is no default privilege, and each file revokes it itself.
create function assignment.default_grantees(p_owner oid, p_schema oid, p_type "char")
  returns setof text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select distinct case when a.grantee = 0 then 'public' else a.grantee::regrole::text end
  from pg_default_acl d
  cross join aclexplode(d.defaclacl) a
  where d.defaclrole = p_owner
    and d.defaclnamespace in (0, p_schema)
    and d.defaclobjtype = p_type
    and a.grantee <> p_owner
    and (a.grantee <> 0 or p_type <> 'f')
$$;

create function assignment.take_back_defaults(p_table regclass)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
declare
  v_grantee text;
begin
  for v_grantee in
    select assignment.default_grantees(relowner, relnamespace, 'r') from pg_class where oid = p_table
  loop
    execute format('revoke all on %s from %s', p_table, v_grantee);
  end loop;
end;
$$;

-- A policy's roles grow: one policy of a name serves all that were admitted by it.
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

-- Each table of ours passes through here once it is made.
create function assignment.close_table(p_table regclass)
  returns void
  volatile
  set search_path = pg_catalog, pg_temp
  language plpgsql
as $$
begin
  perform assignment.take_back_defaults(p_table);
  perform assignment.admit(p_table, pg_get_userbyid(relowner), 'owner_does_all', 'all')
  from pg_class
  where oid = p_table;
end;
$$;

create function assignment.hides_rows(p_table regclass, p_role name)
  returns boolean
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select (
    select not coalesce(bool_or(is_open) filter (where polpermissive), false)
      or coalesce(bool_or(not is_open) filter (where not polpermissive), false)
    from (
      select p.polpermissive, coalesce(pg_get_expr(p.polqual, p.polrelid) = 'true', not p.polpermissive) as is_open
      from pg_policy p
      where p.polrelid = c.oid
        and p.polcmd in ('r', '*')
        and exists (select from unnest(p.polroles) as admitted (oid) where admitted.oid = 0 or pg_has_role(r.oid, admitted.oid, 'usage'))
    ) as policies
  )
  from pg_class c
  join pg_roles r on r.rolname = p_role
  where c.oid = p_table
    and c.relrowsecurity
    and not r.rolsuper
    and not r.rolbypassrls
    and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'))
$$;

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
  having count(*) > 0
$$;

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

revoke execute on function assignment.own_tables() from public;
revoke execute on function assignment.default_grantees(oid, oid, "char") from public;
revoke execute on function assignment.take_back_defaults(regclass) from public;
revoke execute on function assignment.admit(regclass, name, name, text) from public;
revoke execute on function assignment.close_table(regclass) from public;
revoke execute on function assignment.hides_rows(regclass, name) from public;
revoke execute on function assignment.explain_hidden_rows(name) from public;
revoke execute on function assignment.require_visible_rows() from public;
comment on function assignment.own_tables() is 'The tables of this service: those of the schema assignment, and the assignments.';
comment on function assignment.default_grantees(oid, oid, "char") is
  'Whom ALTER DEFAULT PRIVILEGES gives rights on what the owner makes in the schema, of a type as in pg_default_acl.';
comment on function assignment.take_back_defaults(regclass) is
  'Revokes what default privileges gave when the table was made. What is granted afterwards is nobody''s business here.';
comment on function assignment.admit(regclass, name, name, text) is
  'Lets a role see (or, by the command all, change) every row when row-level security is on. It grants nothing.';
comment on function assignment.close_table(regclass) is
  'Takes back what default privileges gave of a new table, and admits its owner, for row-level security may be forced.';
comment on function assignment.hides_rows(regclass, name) is
  'Whether row-level security may hide rows of the table from the role: it applies, and no policy shows all rows. Null: it does not apply.';
comment on function assignment.explain_hidden_rows(name) is
  'Which of the tables that this service reads hide rows from the role, and what to do. Null: none.';
comment on function assignment.require_visible_rows() is
  'Raises TA010 where row-level security hides rows from the current role: in a function with its owner''s rights, from the owner.';

-- migrate:down
drop function if exists assignment.require_visible_rows();
drop function if exists assignment.explain_hidden_rows(name);
drop function if exists assignment.hides_rows(regclass, name);
drop function if exists assignment.close_table(regclass);
drop function if exists assignment.admit(regclass, name, name, text);
drop function if exists assignment.take_back_defaults(regclass);
drop function if exists assignment.default_grantees(oid, oid, "char");
drop function if exists assignment.own_tables();
