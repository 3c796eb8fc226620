-- Sessions of the admin page that ended by signing out. Their cookies would stay valid for up to eight hours, so every
-- replica must know that the session has ended.
-- Locks: none. Reversible.

-- migrate:up
create table assignment.ended_sessions (
  id uuid not null,
  expires_at timestamptz not null,
  constraint ended_sessions_pkey primary key (id)
);

comment on table assignment.ended_sessions is
  'Sessions of the admin page that ended by signing out. Expired ones are deleted when later sessions end.';

-- migrate:down
drop table if exists assignment.ended_sessions;
