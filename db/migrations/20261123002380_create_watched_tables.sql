-- The tables that assignment.watch mirrors members from, so that a dropped, recreated or changed one can be reported.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.watched_tables (
  relid regclass not null,
  schema_name name not null,
  table_name name not null,
  column_name name not null,
  column_number smallint not null,
  watched_since timestamptz not null default now(),
  mirrored_at timestamptz not null default now(),
  problem text,
  constraint watched_tables_pkey primary key (relid),
  constraint watched_tables_name_key unique (schema_name, table_name)
);

comment on table assignment.watched_tables is 'The tables whose rows are mirrored into public.members, as they were when assignment.watch was called.';
comment on column assignment.watched_tables.relid is 'The table, also under another name.';
comment on column assignment.watched_tables.column_number is 'Finds the column once it has another name.';
comment on column assignment.watched_tables.mirrored_at is 'When everybody who was there had been mirrored, last.';
comment on column assignment.watched_tables.problem is 'Why the last reconciliation could not mirror who was missed. Null: it could.';

-- migrate:down
drop table if exists assignment.watched_tables;
