-- The settings, in one row. They live in the database because the trigger reads them.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.settings (
  only_row boolean not null default true,
  default_trainer_id uuid not null,
  updated_at timestamptz not null default now(),
  updated_by text,
  constraint settings_pkey primary key (only_row),
  constraint only_row_is_true check (only_row)
);

comment on table assignment.settings is 'The settings of the service: always one row.';
comment on column assignment.settings.only_row is 'Always true, so that a second row violates the primary key.';
comment on column assignment.settings.default_trainer_id is
  'The trainer of every new member. No foreign key: this member may be inserted after the service is installed.';
comment on column assignment.settings.updated_by is 'Who changed the settings last. Null: never changed.';

insert into assignment.settings (default_trainer_id)
values ('d18a21c8-be77-496f-a2fd-ec6479ecba6d');

-- migrate:down
drop table if exists assignment.settings;
