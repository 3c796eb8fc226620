-- Mirrors the rows of one watched table that have no member yet, or a member with other attributes.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.mirror_missed(p_table regclass, p_column name, p_attributes name[])
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows, instead of skipping them
  set timezone = 'UTC'
  set extra_float_digits = 1
  language plpgsql
as $$
declare
  v_statements record := assignment.mirror_statements(p_table::text, p_column, p_attributes);
  v_mirrored bigint;
begin
  execute v_statements.inserts;
  get diagnostics v_mirrored = row_count;
  if v_statements.updates is not null then
    execute v_statements.updates;
  end if;
  return v_mirrored;
end;
$$;

revoke execute on function assignment.mirror_missed(regclass, name, name[]) from public;
comment on function assignment.mirror_missed(regclass, name, name[]) is
  'Inserts the members that a table has in column p_column and public.members lacks, and brings the attributes of all of them
up to date. Returns how many it inserted.';

-- migrate:down
drop function if exists assignment.mirror_missed(regclass, name, name[]);
