-- Mirrors the rows of one watched table that have no member yet.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.mirror_missed(p_table regclass, p_column name)
  returns bigint
  volatile
  set search_path = pg_catalog, pg_temp
  set row_security = off  -- raises an error where policies hide rows, instead of skipping them
  language plpgsql
as $$
declare
  v_mirrored bigint;
begin
  execute format(
    'insert into public.members (id)
     select distinct w.%1$I
     from %2$s w
     where w.%1$I is not null
       and not exists (select from public.members m where m.id = w.%1$I)
     order by 1
     on conflict do nothing',
    p_column, p_table
  );
  get diagnostics v_mirrored = row_count;
  return v_mirrored;
end;
$$;

revoke execute on function assignment.mirror_missed(regclass, name) from public;
comment on function assignment.mirror_missed(regclass, name) is
  'Inserts the members that a table has in column p_column and public.members lacks. Returns how many.';

-- migrate:down
drop function if exists assignment.mirror_missed(regclass, name);
