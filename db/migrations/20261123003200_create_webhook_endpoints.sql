-- Who wants to hear of what: addresses that messages are sent to, and consumers who fetch them.
-- Locks: none. Reversible; the down drops the endpoints.

-- migrate:up
create table assignment.webhook_endpoints (
  id uuid not null default assignment.uuid_v7(),
  url text,
  description text,
  types text[] not null,
  secret text,
  former_secret text,
  former_secret_until timestamptz,
  enabled boolean not null default true,
  disabled_because text,
  failing_since timestamptz,
  created_at timestamptz not null default now(),
  created_by text not null,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  constraint webhook_endpoints_pkey primary key (id),
  constraint types_are_known check (
    types <@ array['assignments.created', 'assignments.ended', 'assignment.failed', 'run.ended', 'policy.changed']
    and cardinality(types) > 0
  ),
  constraint secret_belongs_to_url check ((secret is not null) = (url is not null)),
  constraint former_secret_has_an_end check ((former_secret is null) = (former_secret_until is null)),
  constraint enabled_has_no_reason check (not enabled or disabled_because is null)
);

comment on table assignment.webhook_endpoints is 'Who wants messages, of which types.';
comment on column assignment.webhook_endpoints.url is
  'Where messages are sent. Null: nowhere, they are kept for consumers who fetch them.';
comment on column assignment.webhook_endpoints.secret is
  'The signing secret, sealed under WEBHOOK_KEY. Null: nothing is sent.';
comment on column assignment.webhook_endpoints.former_secret is
  'The secret of before the last rotation, sealed. Messages are signed with it too until former_secret_until.';
comment on column assignment.webhook_endpoints.disabled_because is
  'Why the service disabled it: gone (answered 410) or failing (five days without a success). Null: enabled, or disabled by hand.';
comment on column assignment.webhook_endpoints.failing_since is 'The first of the failures since the last success. Null: none.';

-- migrate:down
drop table if exists assignment.webhook_endpoints;
