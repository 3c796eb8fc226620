-- The one row of settings. The database is the truth, for the trigger reads it.
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

comment on table assignment.settings is 'One row.';
comment on column assignment.settings.default_trainer_id is
  'Who gets every new member. No foreign key: the trainer may be inserted after this service is installed.';

insert into assignment.settings (default_trainer_id)
values ('d18a21c8-be77-496f-a2fd-ec6479ecba6d');

-- migrate:down
drop table if exists assignment.settings;
