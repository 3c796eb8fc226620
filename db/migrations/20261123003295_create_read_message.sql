-- Reads a message as it would be sent now.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.read_message(p_id uuid)
  returns jsonb
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select assignment.render_message(m) from assignment.outbox m where m.id = p_id
$$;

revoke execute on function assignment.read_message(uuid) from public;
comment on function assignment.read_message(uuid) is 'The body of a message as it would be sent now.';

-- migrate:down
drop function if exists assignment.read_message(uuid);
