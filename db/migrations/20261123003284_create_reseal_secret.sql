-- Seals a secret under another key.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.reseal_secret(p_endpoint_id uuid, p_from text, p_to text)
  returns void
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '2s'
  language sql
as $$
  update assignment.webhook_endpoints
  set secret = case secret when p_from then p_to else secret end,
    former_secret = case former_secret when p_from then p_to else former_secret end
  where id = p_endpoint_id
    and p_from in (secret, former_secret)
$$;

revoke execute on function assignment.reseal_secret(uuid, text, text) from public;
comment on function assignment.reseal_secret(uuid, text, text) is
  'Replaces a sealed secret by the same one, sealed under another key.';

-- migrate:down
drop function if exists assignment.reseal_secret(uuid, text, text);
