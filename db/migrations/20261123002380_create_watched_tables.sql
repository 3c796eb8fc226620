-- The tables that assignment.watch mirrors members from. A table that is dropped, recreated or changed can so be reported.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.watched_tables (
  relid regclass not null,
  schema_name name not null,
  table_name name not null,
  column_name name not null,
  column_number smallint not null,
  attributes name[] not null default '{}',
  watched_since timestamptz not null default now(),
  mirrored_at timestamptz not null default now(),
  problem text,
  constraint watched_tables_pkey primary key (relid),
  constraint watched_tables_name_key unique (schema_name, table_name)
);

comment on table assignment.watched_tables is
  'Tables whose rows are mirrored into public.members, as they were when assignment.watch was called.';
comment on column assignment.watched_tables.relid is 'Identifies the table even after it is renamed.';
comment on column assignment.watched_tables.column_name is
  'The uuid column whose values are mirrored as members'' ids.';
comment on column assignment.watched_tables.column_number is 'Identifies the column after it is renamed.';
comment on column assignment.watched_tables.attributes is
  'The columns that are mirrored into members.attributes, by their names.';
comment on column assignment.watched_tables.mirrored_at is 'When all rows were last known to be mirrored.';
comment on column assignment.watched_tables.problem is
  'Why the last reconciliation could not mirror missed rows. Null: it could.';

-- migrate:down
drop table if exists assignment.watched_tables;
