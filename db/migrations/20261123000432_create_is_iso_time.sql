-- Tells whether a text is a date or a time in the form of ISO 8601. PostgreSQL itself also reads 'now' and '1.2.2026', whose
-- meaning depends on the day or on settings.
-- Locks: none. Reversible.

-- migrate:up
create function assignment.is_iso_time(p_text text, p_with_time boolean)
  returns boolean
  immutable
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  set datestyle = 'ISO'
  language plpgsql
as $$
begin
  if p_with_time then
    return p_text ~ '^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$'
      and isfinite(p_text::timestamptz);
  end if;
  return p_text ~ '^\d{4}-\d\d-\d\d$' and isfinite(p_text::date);
exception when data_exception then  -- no such day
  return false;
end;
$$;

revoke execute on function assignment.is_iso_time(text, boolean) from public;
comment on function assignment.is_iso_time(text, boolean) is
  'Whether a text is a date such as 2026-11-28 or, with p_with_time, a time such as 2026-11-28T09:30:00Z, which may lack the
offset (UTC) or the time of day (midnight).';

-- migrate:down
drop function if exists assignment.is_iso_time(text, boolean);
