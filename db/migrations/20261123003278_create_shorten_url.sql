-- Shortens a receiver's URL for the history.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.shorten_url(p_url text)
  returns text
  immutable
  set search_path = pg_catalog, pg_temp
  language sql
as $$
  select substring(p_url from '^[^:]+://[^/?#]+') || '/…'
$$;

revoke execute on function assignment.shorten_url(text) from public;
comment on function assignment.shorten_url(text) is
  'Scheme, host and port of a URL, and /…: path and query may be secrets of the receiver. Null for null.';

-- migrate:down
drop function if exists assignment.shorten_url(text);
