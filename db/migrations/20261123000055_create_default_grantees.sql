-- Lists the roles that default privileges give rights to, so that those rights can be taken back.
-- It leaves out EXECUTE for public: that is PostgreSQL's rule for every function, and each migration revokes it itself.
-- Locks: none. Reversible.

-- migrate:up
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

revoke execute on function assignment.default_grantees(oid, oid, "char") from public;
comment on function assignment.default_grantees(oid, oid, "char") is
  'Roles that ALTER DEFAULT PRIVILEGES gives rights on new objects of this owner in this schema.
p_type: as pg_default_acl.defaclobjtype (r table, f function, n schema).';

-- migrate:down
drop function if exists assignment.default_grantees(oid, oid, "char");
