-- Finds a foreign key that references the wrong table, for example after members was renamed and created anew.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.describe_misplaced_key(p_constraint text)
  returns text
  stable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select format(
    'foreign key %1$I of trainer_client_assignments points at %2$s (%3$I), not at public.members (id). Run: '
    'alter table public.trainer_client_assignments drop constraint %1$I, '
    'add constraint %1$I foreign key (%4$I) references public.members (id) on update cascade%5$s not valid; '
    'alter table public.trainer_client_assignments validate constraint %1$I;',
    c.conname,
    c.confrelid::regclass,
    referenced.attname,
    referencing.attname,
    case c.conname when 'trainer_client_assignments_client_id_fkey' then ' on delete cascade' else '' end
  )
  from pg_constraint c
  join pg_attribute referenced on referenced.attrelid = c.confrelid and referenced.attnum = c.confkey[1]
  join pg_attribute referencing on referencing.attrelid = c.conrelid and referencing.attnum = c.conkey[1]
  where c.conrelid = to_regclass('public.trainer_client_assignments')
    and c.contype = 'f'
    and c.conparentid = 0
    and c.conname = p_constraint
    and c.conname in ('trainer_client_assignments_client_id_fkey', 'trainer_client_assignments_trainer_id_fkey')
    and (c.confrelid is distinct from to_regclass('public.members') or referenced.attname <> 'id')
$$;

revoke execute on function assignment.describe_misplaced_key(text) from public;
comment on function assignment.describe_misplaced_key(text) is
  'Says which table a foreign key of trainer_client_assignments references instead of public.members (id), and how to
repair it. Null: the key is right.';

-- migrate:down
drop function if exists assignment.describe_misplaced_key(text);
