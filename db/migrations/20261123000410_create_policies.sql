-- The policy: who trains whom. One row for each version. The highest version is in force.
-- Locks: none. Reversible; the down drops the history of the policy.

-- migrate:up
create table assignment.policies (
  version integer not null,
  document jsonb not null,
  comment text,
  created_at timestamptz not null default now(),
  created_by text not null,
  constraint policies_pkey primary key (version),  -- of two who write the same version at once, one fails
  constraint version_is_positive check (version > 0)
);

comment on table assignment.policies is
  'All versions of the policy. A version never changes; to return to an old one, its document becomes the next version.';
comment on column assignment.policies.document is
  'defaultTrainerId, respectsOtherTrainers and rules, with defaults filled in.';
comment on column assignment.policies.created_by is 'Who wrote the version; migration for version 1.';

-- Version 1 is the default trainer alone.
insert into assignment.policies (version, document, created_by)
select
  policy_version,
  jsonb_build_object('defaultTrainerId', default_trainer_id, 'respectsOtherTrainers', false, 'rules', '[]'::jsonb),
  'migration'
from assignment.settings;

-- migrate:down
drop table if exists assignment.policies;
