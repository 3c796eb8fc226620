-- What the trigger reads of the policy in force, in one row.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.settings (
  only_row boolean not null default true,
  default_trainer_id uuid,
  policy_version integer not null default 1,
  needs_choice boolean not null default false,
  respects_other_trainers boolean not null default false,
  constraint settings_pkey primary key (only_row),
  constraint only_row_is_true check (only_row)
);

comment on table assignment.settings is 'What the policy in force says, for the trigger: always one row.';
comment on column assignment.settings.only_row is 'Always true, so that a second row violates the primary key.';
comment on column assignment.settings.default_trainer_id is
  'The trainer of members whom no rule takes; null: none. No foreign key: this member may be inserted after the service is installed.';
comment on column assignment.settings.policy_version is 'The version of the policy in force.';
comment on column assignment.settings.needs_choice is
  'Whether assigning needs choose_trainers: the policy has rules, or no default trainer, or the default trainer has a capacity or
accepts no clients. False: everybody gets the default trainer, in one statement.';
comment on column assignment.settings.respects_other_trainers is 'Whether a member with any active assignment gets no further trainer.';

insert into assignment.settings (default_trainer_id)
values ('d18a21c8-be77-496f-a2fd-ec6479ecba6d');

-- migrate:down
drop table if exists assignment.settings;
