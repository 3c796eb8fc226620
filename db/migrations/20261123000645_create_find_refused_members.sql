-- Finds the members that a misplaced foreign key refuses, with one query instead of a failed attempt for each.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.find_refused_members(p_member_ids uuid[], p_constraint text)
  returns uuid[]
  stable
  set search_path = pg_catalog, pg_temp
  set row_security = off
  language plpgsql
as $$
declare
  v_known text;
  v_refused_ids uuid[] := '{}';
begin
  if assignment.describe_misplaced_key(p_constraint) is null then
    return v_refused_ids;
  end if;
  select format('select from %s where %I = asked.id', c.confrelid::regclass, a.attname) into v_known
  from pg_constraint c
  join pg_attribute a on a.attrelid = c.confrelid and a.attnum = c.confkey[1]
  where c.conrelid = 'public.trainer_client_assignments'::regclass
    and c.conname = p_constraint;
  execute format(
    'select array(select asked.id from unnest($1) as asked (id) where not exists (%s) order by asked.id)', v_known
  )
  into v_refused_ids
  using p_member_ids;
  return v_refused_ids;
exception when insufficient_privilege then
  return '{}';
end;
$$;

revoke execute on function assignment.find_refused_members(uuid[], text) from public;
comment on function assignment.find_refused_members(uuid[], text) is
  'The given members that the key refuses because it references another table. Empty when the key is right, or when
the owner of this function may not read that table.';

-- migrate:down
drop function if exists assignment.find_refused_members(uuid[], text);
