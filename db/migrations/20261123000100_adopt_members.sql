-- The members table. An existing one belongs to the application and is used as it is; else a minimal one is created.
-- The service relies only on the column id: a uuid, unique by itself.
-- This is the only migration that accepts an existing object, because an existing members table is the normal case.
-- Locks: none on an existing table. Reversible: drops the table only if this migration created it and it is empty.

-- migrate:up
set local quote_all_identifiers = off;  -- otherwise format_type may return a quoted name

do $$
declare
  v_type text;
  v_children text;
begin
  if to_regclass('public.members') is null then
    create table public.members (
      id uuid default gen_random_uuid() primary key,  -- no name: members_pkey may belong to a renamed table
      email text,
      display_name text,
      attributes jsonb,  -- what rules can ask beyond the columns; assignment.watch may keep it
      created_at timestamptz not null default now()
    );
    comment on table public.members is 'Everybody with an account. Created by trainer assignment, for lack of one.';
    perform assignment.take_back_defaults('public.members');
    return;
  end if;

  select format_type(a.atttypid, a.atttypmod) into v_type
  from pg_attribute a
  where a.attrelid = 'public.members'::regclass
    and a.attname = 'id'
    and not a.attisdropped;

  if v_type is distinct from 'uuid' then
    raise exception 'public.members.id must be of type uuid, but %', coalesce('is ' || v_type, 'there is no such column')
      using hint = 'Trainer assignment works on a table public.members(id uuid primary key, …).';
  end if;

  if not exists (
    select
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'id'
    where i.indrelid = 'public.members'::regclass
      and i.indisunique
      and i.indimmediate
      and i.indisvalid
      and i.indpred is null
      and i.indnkeyatts = 1
      and i.indkey[0] = a.attnum
  ) then
    raise exception 'public.members.id must be the primary key, or unique by itself'
      using hint = 'Run: alter table public.members add primary key (id);';
  end if;

  -- Foreign keys and triggers of a table ignore the rows of its child tables: their members could not be assigned.
  select string_agg(i.inhrelid::regclass::text, ', ' order by i.inhrelid::regclass::text) into v_children
  from pg_inherits i
  join pg_class c on c.oid = i.inhparent
  where c.oid = 'public.members'::regclass
    and c.relkind <> 'p';
  if v_children is not null then
    raise exception 'foreign keys and triggers of public.members ignore the rows of its child tables: %', v_children
      using hint = 'Make them partitions of members, or rename members and mirror it and its child tables with assignment.watch.';
  end if;
end;
$$;

-- migrate:down
do $$
declare
  v_has_rows boolean;
begin
  -- Null when the application has dropped the table: then there is nothing to do.
  if obj_description(to_regclass('public.members'), 'pg_class') like '%Created by trainer assignment%' then
    select exists (select m.id from public.members m) into v_has_rows;
    if v_has_rows then
      raise notice 'public.members has rows and is kept';
    else
      drop table public.members;
    end if;
  end if;
end;
$$;
